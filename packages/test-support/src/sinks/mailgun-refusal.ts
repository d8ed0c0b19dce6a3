import type { PushReply } from './push-answer.js'

/** An answer as Mailgun gives it to what it does not take: JSON with a message. */
export function createMailgunError(
  status: number,
  message: string,
  options: Pick<PushReply, 'headers' | 'retryAfter'> = {},
): PushReply {
  const { headers, ...rest } = options
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ message }),
    ...rest,
  }
}

/** Mailgun does not take a mail, and answers this. */
export class MailgunRefusal extends Error {
  override readonly name = 'MailgunRefusal'
  readonly answer: PushReply

  constructor(answer: PushReply, reason: string) {
    super(reason)
    this.answer = answer
  }
}

/** Always throws. @throws MailgunRefusal */
export function refuse(status: number, message: string): never {
  throw new MailgunRefusal(createMailgunError(status, message), message)
}
