import { simpleParser } from 'mailparser'

export interface ReceivedMail {
  /** The sender of the envelope, '' for none. */
  from: string
  /** The recipients of the envelope that were accepted, as the client wrote them. */
  to: string[]
  subject: string | undefined
  text: string | undefined
  html: string | undefined
  /** Names in lower case, unfolded, not decoded. The values of a header that comes again are joined by a comma. */
  headers: Record<string, string>
  /** With its angle brackets. */
  messageId: string | undefined
  raw: Buffer
  /** Milliseconds since 1970. */
  at: number
  /** Whether the client was, or will be, told that the mail was taken. */
  answered: boolean
}

export async function parseReceivedMail(
  raw: Buffer,
  { from, to, answered }: Pick<ReceivedMail, 'from' | 'to' | 'answered'>,
): Promise<ReceivedMail> {
  // What is not asked for costs more than all the rest.
  const mail = await simpleParser(raw, {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    checksumAlgo: false,
  })
  return {
    from,
    to,
    subject: mail.subject,
    text: mail.text,
    html: mail.html || undefined,
    headers: toHeaders(mail.headerLines),
    messageId: mail.messageId,
    raw,
    at: Date.now(),
    answered,
  }
}

function toHeaders(lines: readonly { key: string; line: string }[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { key, line } of lines) {
    const value = line
      .slice(line.indexOf(':') + 1)
      .replace(/\r?\n/g, '')
      .trim()
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value
  }
  return headers
}
