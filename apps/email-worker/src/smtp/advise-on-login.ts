import type { SmtpReply } from './smtp-reply.js'

/** Exchange tells of its own settings by it, for passwords and tokens. */
const policy = '5.7.139'

/** Advises people on a refused login. Undefined if the server's words are all there is to say. */
export function adviseOnLogin(
  { basic, enhanced, words }: SmtpReply,
  { byToken }: { byToken: boolean },
): string | undefined {
  if (enhanced === policy && /disabled for the tenant/i.test(words)) {
    return 'turn it on with Set-TransportConfig -SmtpClientAuthenticationDisabled $false'
  }
  if (enhanced === policy && /disabled for the mailbox/i.test(words)) {
    return 'turn it on with Set-CASMailbox -SmtpClientAuthenticationDisabled $false'
  }
  if (enhanced === policy) return 'see why in the sign-in log of Microsoft Entra'
  if (basic < 500 || !byToken) return undefined
  return 'check the user of SMTP_URL, SMTP_OAUTH_SCOPE and what the app may do'
}
