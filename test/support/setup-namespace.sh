#!/bin/sh
# Called in fresh mount, network and process namespaces: "$1" is an empty folder, "$2" the resolver, the rest
# the command to run. Gives it its own /etc and /run, an address for the world outside, and a
# systemctl that knows one resolver and reads the one unit that is written: there is no systemd here.
set -e
folder=$1
resolver=$2
shift 2
cp -a /etc "$folder/etc"
mount --bind "$folder/etc" /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/data /run/dbus /run/systemd/system /run/systemd/resolve "$folder/bin"
rm -f /etc/resolv.conf
ip link set lo up
ip address add 10.9.9.1/32 dev lo
sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
# ALTNET_TEST_RESOLVED: where a package of systemd-resolved was unpacked, if it is not installed.
PATH=$folder/bin:${ALTNET_TEST_RESOLVED:+$ALTNET_TEST_RESOLVED/usr/bin:}$PATH
export PATH

cat >"$folder/bin/systemctl" <<'SYSTEMCTL'
#!/bin/sh
resolver=RESOLVER
daemon=${ALTNET_TEST_RESOLVED:-}/lib/systemd/systemd-resolved
altnet=/etc/systemd/system/altnet-dns.service
lines() { sed -n "s/^$1=-\{0,1\}//p" "$altnet"; }
run_unit() {
  # A kernel without links that lead nowhere has pairs of links, one end of which does the same.
  if ! ip link add altnet0 type dummy 2>/dev/null; then
    ip link add altnet0 type veth peer name altnet1 && ip link set altnet1 up
  fi
  lines ExecStart | while read -r line; do $line || exit 1; done
}
stop_resolver() {
  if [ -f /run/resolver.pid ]; then
    pid=$(cat /run/resolver.pid)
    kill "$pid" 2>/dev/null || :
    # Nobody waits for it here, so that it stays a zombie.
    while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status"; do sleep 0.05; done
    rm -f /run/resolver.pid
  fi
}
start_resolver() {
  case $resolver in
    dnsmasq) dnsmasq ;;
    unbound) unbound -c /etc/unbound/unbound.conf >/dev/null 2>&1 ;;
    systemd-resolved)
      if [ ! -S /run/dbus/system_bus_socket ]; then
        grep -q '^systemd-resolve:' /etc/passwd || {
          echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >>/etc/passwd
          echo 'systemd-resolve:x:991:' >>/etc/group
        }
        chown systemd-resolve:systemd-resolve /run/systemd/resolve
        dbus-daemon --config-file=/run/bus.conf --fork --print-pid >/run/bus.pid 2>/dev/null
        ip link add up0 type veth peer name up1
        ip link set up1 up
        ip link set up0 up
        ip address add 10.9.9.2/24 dev up0
      fi
      "$daemon" >/dev/null 2>&1 &
      echo $! >/run/resolver.pid
      until timeout 1 resolvectl dns up0 10.9.9.1 2>/dev/null; do sleep 0.05; done
      resolvectl default-route up0 yes
      resolvectl llmnr up0 no
      ;;
  esac
}
case "$*" in
  --version) echo 'systemd 252 (252.39)' ;;
  "is-active $resolver") [ -f /run/resolver.pid ] ;;
  "restart $resolver") stop_resolver; start_resolver ;;
  "stop $resolver")
    stop_resolver
    [ ! -f /run/bus.pid ] || kill "$(cat /run/bus.pid)"
    ;;
  'restart altnet-dns.service') run_unit ;;
  'disable --now altnet-dns.service') lines ExecStopPost | while read -r line; do $line; done ;;
  daemon-reload | 'enable altnet-dns.service' | 'reset-failed '*) ;;
  *) exit 3 ;;
esac
SYSTEMCTL
sed -i "s/RESOLVER/$resolver/" "$folder/bin/systemctl"
chmod +x "$folder/bin/systemctl"
cat >/run/bus.conf <<'BUS'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_type="method_call"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
BUS
exec "$@"
