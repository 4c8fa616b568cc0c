// Ends this process when its parent is gone. npm dies without telling its scripts; with this,
// killing `npm start` stops the node. Read by run.mjs, so any Node.js from 20 on must understand it,
// and loaded by tools/launch.sh ahead of a node that npm started.
import process from 'node:process';

const parent = process.ppid;
const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  process.kill(process.pid, 'SIGTERM'); // what catches it stops in order
}, 500);
timer.unref();
