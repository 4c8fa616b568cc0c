/** Whether somebody answers at each address where this node looks for its first peers. */
import { isAltNetError } from '../../base/errors.ts';
import type { BootstrapAnswer } from '../../node/ask-bootstraps.ts';
import { describeError } from '../tui.ts';
import { type Check, fail, type Finding, ok, warn } from './finding.ts';

export const bootstrap: Check = {
  name: 'bootstrap',
  async run({ bootstraps, node, folders: { data } }) {
    const answers = await bootstraps();
    const isConnected = node.state === 'running' && node.stats.table > 0;
    if (answers.length === 0) {
      if (isConnected) return [ok('no address is noted; the node remembers who it met')];
      const advice = `write the address of a node, host:port, into ${data}/bootstrap.txt, or give --bootstrap`;
      return [warn('no address to join at is known', advice)];
    }
    // As long as one way in is open, another that is closed can wait.
    const hasWay = isConnected || answers.some(({ answer }) => answer);
    return answers.map((each) => judgeAnswer(each, hasWay));
  },
};

function judgeAnswer({ address, answer, error }: BootstrapAnswer, hasWay: boolean): Finding {
  if (answer) {
    const network = answer.network === 'main' ? '' : `, in the network "${answer.network}"`;
    return ok(`${address} answers in ${answer.ms.toFixed(0)} ms${network}`);
  }
  const found = describeError(error).message;
  const isWrong = isAltNetError(error, 'WRONG_PEER');
  const advice = isWrong
    ? `ask who gave you ${address} for the right address, or drop its # part`
    : `look whether the node is up and has your --network, whether UDP goes out of your network, or use another address than ${address}`;
  return hasWay ? warn(found, advice) : fail(found, advice);
}
