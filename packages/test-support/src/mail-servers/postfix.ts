import { readFileSync } from 'node:fs'
import type { MailServerKind } from './mail-server.js'
import type { MailServerHost } from './mail-server-host.js'
import type { MailServerOptions } from './mail-server-options.js'

const read = (file: string) => readFileSync(new URL(`../../mail-servers/postfix/${file}`, import.meta.url), 'utf8')

/** Debian's Postfix, with configuration, queue, state and log in directories of its own (postfix(1), `-c`). */
export const postfix: MailServerKind = {
  createFiles(host, options) {
    if (options.login) throw new Error('Expected no login of Postfix, which needs another program for them')
    const { certificate } = options
    const settings = toSettings(host, options)
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
    return {
      'etc/main.cf': read('main.cf').replaceAll('ROOT', host.root) + lines.join(''),
      'etc/master.cf': read('master.cf')
        .replaceAll('ADDRESS', host.listen.address)
        .replaceAll('SMTP_PORT', String(host.listen.smtp))
        .replaceAll('SMTPS_PORT', String(host.listen.smtps)),
      'etc/mailboxes': read('mailboxes'),
      'etc/recipients': read('recipients'),
      ...(certificate && { 'etc/tls.pem': certificate.key + certificate.cert }),
    }
  },
  prepare: [
    'mkdir -p "$root"/queue "$root"/data "$root"/mail/all/new "$root"/mail/all/cur "$root"/mail/all/tmp',
    'chown postfix "$root/data"',
    'chown -R nobody:nogroup "$root/mail"',
  ].join('\n'),
  start: 'postfix -c "$root/etc" start 2>&1',
  stop: 'postfix -c "$root/etc" stop 2>&1',
  deliver: '',
  // What nobody may execute was cut off before it was taken.
  listQueue: 'cd "$root/queue"; find maildrop incoming active deferred -type f -perm -u+x',
}

/** Parameters of postconf(5). */
function toSettings({ root }: MailServerHost, options: MailServerOptions): Record<string, string | number> {
  const { smtpUtf8 = true, rate, certificate } = options
  return {
    smtputf8_enable: smtpUtf8 ? 'yes' : 'no',
    message_size_limit: options.maxSize ?? 50_000_000,
    ...(options.connectionsPerClient && { smtpd_client_connection_count_limit: options.connectionsPerClient }),
    ...(rate && { smtpd_client_message_rate_limit: rate.mails, anvil_rate_time_unit: `${rate.seconds}s` }),
    ...(options.minFreeSpace && { queue_minfree: options.minFreeSpace }),
    ...(certificate && { smtpd_tls_security_level: 'may', smtpd_tls_chain_files: `${root}/etc/tls.pem` }),
    ...(options.greetingDelaySeconds && {
      smtpd_delay_reject: 'no',
      smtpd_client_restrictions: `sleep ${options.greetingDelaySeconds}`,
    }),
    ...(options.finalDelaySeconds && { smtpd_end_of_data_restrictions: `sleep ${options.finalDelaySeconds}` }),
    ...(options.refuseAll && { smtpd_recipient_restrictions: `check_client_access static:{${options.refuseAll}}` }),
  }
}
