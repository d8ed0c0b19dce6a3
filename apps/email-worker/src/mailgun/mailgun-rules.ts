/**
 * Whose fault it is that Mailgun did not take a mail:
 *
 * - `recipient`, `mail`: where to, or what was sent; trying again cannot help
 * - `rate`: too much in too little time
 * - `ours`: our key, our domain, our account, our request: somebody has to change something
 * - `server`: Mailgun cannot take mails now, or says something that nobody knows
 * - `unknown`: Mailgun may have taken the mail
 */
export type MailgunFault = 'recipient' | 'mail' | 'rate' | 'ours' | 'server' | 'unknown'

interface MailgunRule {
  status: RegExp
  words?: RegExp
  /** It holds only while Mailgun takes other mails. */
  takesOthers?: true
  fault: MailgunFault
}

/** An answer of Mailgun's. */
export interface MailgunWords {
  status: number
  /** Empty if there are none. */
  words: string
  /** It has taken a mail a short while ago. */
  takesOthers: boolean
}

const tooMuch = /limit( \(\d+\))? exceeded|too many requests|rate limit|try again after/i
const account =
  /not allowed to send|disabled|suspended|sandbox|free accounts?|test purposes|authorized recipients|activate your|unverified|probation|upgrade|payment|billing|can.?t be used to send/i
/** Every mail's form is the same but for its values. */
const request =
  /^.?from.? parameter|parameter is (missing|not a file)|need at least one of|content type|malformed|unable to parse|limited to 16 ?kb/i
const recipient = /^.?to.? parameter is not a valid address/i

/**
 * The first that fits. Mailgun gives one fault several statuses, so its words come first: "limit exceeded" has come with 400,
 * 403, 420 and 429. A status that nobody knows is never counted against the mail, nor are words that nobody knows unless
 * Mailgun takes other mails.
 */
const mailgunRules: readonly MailgunRule[] = [
  // Users report mails that arrived after such an answer.
  { status: /^5/, fault: 'unknown' },
  { status: /^429$|^420$/, fault: 'rate' },
  { status: /^4/, words: tooMuch, fault: 'rate' },
  { status: /^40[1234]$/, fault: 'ours' },
  { status: /^400$/, words: account, fault: 'ours' },
  { status: /^400$/, words: request, fault: 'ours' },
  { status: /^400$/, words: recipient, fault: 'recipient' },
  { status: /^413$/, fault: 'mail' },
  { status: /^400$/, takesOthers: true, fault: 'mail' },
  { status: /^400$/, fault: 'ours' },
  { status: /^3/, fault: 'ours' },
]

/** Finds whose fault an answer is that is no success. */
export function findMailgunFault({ status, words, takesOthers }: MailgunWords): MailgunFault {
  const fits = (rule: MailgunRule) =>
    rule.status.test(String(status)) && (rule.words?.test(words) ?? true) && (takesOthers || !rule.takesOthers)
  return mailgunRules.find(fits)?.fault ?? 'server'
}

/** Tells whether Mailgun has looked at a form and misses something in it: then key, domain and region are right. */
export function isMissingSomething(status: number, words: string): boolean {
  return status === 400 && /parameter is missing|need at least one of/i.test(words)
}
