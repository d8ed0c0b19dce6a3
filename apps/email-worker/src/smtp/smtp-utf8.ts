import type { Socket } from 'node:net'
import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection'

/** Whether the server takes addresses with other letters than ASCII (SMTPUTF8, RFC 6531). */
export interface SmtpUtf8 {
  /** Takes note of what a server has said in answer to EHLO, line by line. */
  learn(ehlo: readonly string[] | undefined): void
  /** @throws nodemailer's error if the server has to be asked and cannot be */
  isOffered(): Promise<boolean>
}

/** The server behind a name may be replaced. */
const maxAgeMs = 60_000

/**
 * Knows what the last answer to EHLO said, and asks the server if that was long ago. It is asked on a connection of its
 * own, because nodemailer's pool tells nothing about the one that a mail will take: without SMTPUTF8, it sends the bare
 * bytes, which servers take and then bounce.
 */
export function createSmtpUtf8(options: SMTPConnectionOptions, connect: () => Promise<Socket>): SmtpUtf8 {
  let known: { offered: boolean; at: number } | undefined
  let asking: Promise<boolean> | undefined

  const note = (offered: boolean): boolean => {
    known = { offered, at: performance.now() }
    return offered
  }
  return {
    learn(ehlo) {
      if (ehlo) note(ehlo.some((line) => /^SMTPUTF8\b/i.test(line)))
    },
    async isOffered() {
      if (known && performance.now() - known.at < maxAgeMs) return known.offered
      asking ??= ask(options, connect).finally(() => {
        asking = undefined
      })
      return note(await asking)
    },
  }
}

async function ask(options: SMTPConnectionOptions, connect: () => Promise<Socket>): Promise<boolean> {
  const connection = new SMTPConnection({ ...options, connection: await connect() })
  try {
    await new Promise<void>((resolve, reject) => {
      connection.on('error', reject)
      connection.once('end', () => reject(new Error('The mail server closed the connection')))
      connection.connect((error) => (error ? reject(error) : resolve()))
    })
    // Of EHLO, after STARTTLS if there was one.
    return /^250[ -]SMTPUTF8\b/im.test(String(connection.lastServerResponse))
  } finally {
    connection.close()
  }
}
