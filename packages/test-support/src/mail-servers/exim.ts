import { readFileSync } from 'node:fs'
import type { MailServerKind } from './mail-server.js'
import type { MailServerHost } from './mail-server-host.js'
import type { MailServerOptions } from './mail-server-options.js'

/** Debian's Exim, with a configuration file, a spool and a log of its own (exim4(8), `-C`). */
export const exim: MailServerKind = {
  createFiles(host, options) {
    const text = readFileSync(new URL('../../mail-servers/exim/exim.conf', import.meta.url), 'utf8')
    const { certificate } = options
    return {
      'exim.conf':
        toLines(host, options) +
        text
          .replaceAll('ROOT', host.root)
          .replaceAll('ADDRESS', host.listen.address)
          .replaceAll('SMTP_PORT', String(host.listen.smtp))
          .replaceAll('SMTPS_PORT', String(host.listen.smtps)),
      ...(certificate && { 'tls.pem': certificate.key + certificate.cert }),
    }
  },
  prepare: [
    'mkdir -p "$root"/spool "$root"/log "$root"/mail/all/new "$root"/mail/all/cur "$root"/mail/all/tmp',
    'chown -R Debian-exim "$root"/spool "$root"/log "$root"/mail',
    'if [ -f "$root/tls.pem" ]; then chown Debian-exim "$root/tls.pem"; fi',
    'chmod 644 "$root/exim.conf"',
  ].join('\n'),
  start: 'exim4 -C "$root/exim.conf" -bd 2>&1',
  // Those that speak with a client are processes of their own, in the daemon's group. SIGTERM would not do: one that it meets
  // while it waits in `acl_smtp_data` answers 250, and throws the mail away (4.96).
  stop: 'pid=$(cat "$root/exim.pid"); kill -KILL "-$pid"; while [ -d "/proc/$pid" ]; do sleep 0.1; done',
  deliver: 'exim4 -C "$root/exim.conf" -q >&2',
  // What has no header file was cut off before it was taken.
  listQueue: 'cd "$root/spool"; if [ -d input ]; then find input -name "*-H"; fi',
}

/** Options and macros, each a line. */
function toLines({ root }: MailServerHost, options: MailServerOptions): string {
  const { smtpUtf8 = true, rate, certificate, login, maxSize, minFreeSpace } = options
  const lines = [
    smtpUtf8 ? '' : 'smtputf8_advertise_hosts =',
    maxSize && `message_size_limit = ${maxSize}`,
    minFreeSpace && `check_spool_space = ${Math.ceil(minFreeSpace / 1024)}K`,
    options.connectionsPerClient && `smtp_accept_max_per_host = ${options.connectionsPerClient}`,
    rate && `T_RATE = ${rate.mails} / ${rate.seconds}s`,
    certificate && `tls_certificate = ${root}/tls.pem\ntls_privatekey = ${root}/tls.pem`,
    certificate ? 'tls_advertise_hosts = *' : 'tls_advertise_hosts =',
    login && `T_USER = ${login.user}\nT_PASSWORD = ${login.password}`,
    options.greetingDelaySeconds && `T_GREETING_DELAY = ${options.greetingDelaySeconds}s`,
    options.finalDelaySeconds && `T_FINAL_DELAY = ${options.finalDelaySeconds}s`,
    options.refuseAll && `T_REFUSE = ${options.refuseAll}`,
  ]
  return lines
    .filter(Boolean)
    .map((line) => `${line}\n`)
    .join('')
}
