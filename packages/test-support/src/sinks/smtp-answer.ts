/**
 * - `accept`: the mail is taken
 * - `delay <ms>`: it is taken, and the answer to the data comes so much later
 * - `greeting 421`, `greeting 554`: instead of 220, and the connection is closed
 * - `auth 535`, `auth 454`: to AUTH
 * - `mail 550`, `mail 451`: to MAIL FROM
 * - `rcpt 550`, `rcpt 451`: to RCPT TO
 * - `data 554`, `data 451`: after the final dot
 * - `hang-at-greeting`: the connection is accepted, and there is no greeting
 * - `drop-before-data`: the connection is closed instead of an answer to DATA
 * - `drop-in-data`: it is closed when the first bytes of the mail have come; of a short one the client may have sent all
 * - `drop-after-data`: the mail is taken, and the connection closed instead of an answer
 * - `hang-after-data`: the mail is taken, and there is no answer
 *
 * Any code from 400 to 599 will do. After 421 the connection is closed.
 */
export type SmtpAnswer =
  | 'accept'
  | `delay ${number}`
  | `greeting ${number}`
  | `auth ${number}`
  | `mail ${number}`
  | `rcpt ${number}`
  | `data ${number}`
  | SmtpTrouble

export type SmtpTrouble =
  | 'hang-at-greeting'
  | 'drop-before-data'
  | 'drop-in-data'
  | 'drop-after-data'
  | 'hang-after-data'

/** In the order of a session. An answer waits until its phase comes. */
export type SmtpPhase = 'greeting' | 'auth' | 'mail' | 'rcpt' | 'data'

export interface SmtpStep {
  phase: SmtpPhase
  /** Of the refusal. */
  code: number | undefined
  delayMs: number
  trouble: SmtpTrouble | undefined
}

/** @throws TypeError if it is no answer */
export function parseSmtpAnswer(answer: SmtpAnswer): SmtpStep {
  const step: SmtpStep = { phase: 'data', code: undefined, delayMs: 0, trouble: undefined }
  if (answer === 'accept') return step
  if (answer === 'hang-at-greeting') return { ...step, phase: 'greeting', trouble: answer }
  if (isDataTrouble(answer)) return { ...step, trouble: answer }
  const [, word = '', digits = ''] = /^(\w+) (\d+)$/.exec(answer) ?? []
  const number = Number(digits)
  if (word === 'delay') return { ...step, delayMs: number }
  if (isPhase(word) && number >= 400 && number <= 599) return { ...step, phase: word, code: number }
  throw new TypeError(`Expected an answer such as \`accept\`, \`rcpt 550\` or \`drop-in-data\`, found \`${answer}\``)
}

function isDataTrouble(answer: string): answer is Exclude<SmtpTrouble, 'hang-at-greeting'> {
  return /^(drop-(before|in|after)-data|hang-after-data)$/.test(answer)
}

function isPhase(word: string): word is SmtpPhase {
  return /^(greeting|auth|mail|rcpt|data)$/.test(word)
}
