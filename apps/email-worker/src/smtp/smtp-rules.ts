/**
 * Whose fault it is that a mail was not taken:
 *
 * - `mail`, `recipient`: what was sent, or where to; an attempt is counted
 * - `connection`: this connection is closed, or one too many; another may do
 * - `rate`: too much in too little time
 * - `server`: it cannot take mails now, or not from anybody
 * - `ours`: our login, our sender, our address in its lists: somebody has to change something
 */
export type SmtpFault = 'mail' | 'recipient' | 'connection' | 'rate' | 'server' | 'ours'

/** What was being done when it went wrong. `session`: between commands, or nobody can tell. */
export type SmtpStage = 'connecting' | 'greeting' | 'tls' | 'login' | 'sender' | 'recipient' | 'content' | 'session'

interface SmtpRule {
  stage?: SmtpStage
  /** Of `450 4.7.1`, or of `450` if there is no enhanced code. */
  answer?: RegExp
  words?: RegExp
  fault: SmtpFault
}

const greylisted = /gr[ae]y[- ]?list/i
export const tooManyConnections =
  /too many (concurrent |simultaneous )?(smtp )?(connections|sessions)|connections? limit|concurrent connection/i
const tooFast =
  /too (much|many) (e?-?mails?|messages|recipients|requests)|\brate\b|throttl|(sending|daily|hourly|per (day|hour|minute|second))\b.*\b(quota|limit)|flood|slow down/i
const mailboxFull = /mailbox|inbox|over ?quota|disk quota|storage/i
const loops = /\bhops?\b|\bloop/i
const tooLarge = /\bsize\b|too (large|big)/i
const notAllowed =
  /relay|not (allowed|authori[sz]ed|permitted) to send|send ?as|(sender|from) (address )?(is )?(not (verified|owned)|unverified)|not verified|authenticat|block ?list|black ?list|\bspf\b|\bdkim\b|\bdmarc\b/i

/**
 * The first that fits, for an answer of a server or an error of its connection. Servers disagree about codes, so their words
 * come before the codes that mean anything; enhanced codes are those of RFC 3463 and its registry at IANA.
 */
const smtpRules: readonly SmtpRule[] = [
  // A full mailbox is over a limit, too.
  { answer: /^[45]\d\d [45]\.2\.[0124]$/, fault: 'recipient' },
  { answer: /^[45]\d\d [45]\.3\.1$/, fault: 'server' },
  { stage: 'recipient', words: mailboxFull, fault: 'recipient' },
  { stage: 'content', words: mailboxFull, fault: 'recipient' },
  { words: loops, fault: 'mail' },
  { answer: /^5/, words: tooLarge, fault: 'mail' },
  { answer: /^4/, words: greylisted, fault: 'recipient' },
  { words: tooManyConnections, fault: 'connection' },
  { words: tooFast, fault: 'rate' },
  { answer: /[45]\.7\.28$/, fault: 'rate' },
  { answer: /^421/, fault: 'connection' },

  { stage: 'connecting', fault: 'server' },
  { stage: 'tls', fault: 'server' },
  { stage: 'greeting', fault: 'server' },
  { stage: 'login', answer: /^4/, fault: 'server' },
  { stage: 'login', fault: 'ours' },
  { stage: 'session', answer: /^5/, fault: 'server' },
  { stage: 'session', fault: 'connection' },

  { answer: /^53[0458]|[45]\.7\.(8|9|11)$/, fault: 'ours' },
  { answer: /[45]\.1\.[78]$|[45]\.7\.2[0-7]$/, fault: 'ours' },
  { stage: 'content', words: /spam|virus|content|phish/i, fault: 'mail' },
  { answer: /^5/, words: notAllowed, fault: 'ours' },
  { answer: /^552$|[45]\.2\.3$|[45]\.3\.4$|[45]\.6\.\d+$/, fault: 'mail' },
  { answer: /[45]\.3\.\d+$/, fault: 'server' },

  { stage: 'sender', answer: /4\.7\.\d+$/, fault: 'rate' },
  { stage: 'sender', answer: /^4/, fault: 'server' },
  { stage: 'sender', fault: 'ours' },
  { stage: 'recipient', fault: 'recipient' },
  { stage: 'content', fault: 'mail' },
]

/** @param answer undefined if there was none */
export function findSmtpFault(stage: SmtpStage, answer: { codes: string; words: string } | undefined): SmtpFault {
  const fits = (rule: SmtpRule) =>
    (rule.stage === undefined || rule.stage === stage) &&
    (rule.answer === undefined || (answer !== undefined && rule.answer.test(answer.codes))) &&
    (rule.words === undefined || (answer !== undefined && rule.words.test(answer.words)))
  return smtpRules.find(fits)?.fault ?? 'connection'
}
