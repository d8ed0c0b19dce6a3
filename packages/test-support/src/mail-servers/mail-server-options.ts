import type { Certificate } from '../sinks/self-signed-certificate.js'

export type MailServerName = 'postfix' | 'exim'

/** What differs from test to test. Whatever is absent is as Debian has it, or without limit. */
export interface MailServerOptions {
  /** Connections of one client at a time. */
  connectionsPerClient?: number
  /** Mails of one client in so many seconds. */
  rate?: { mails: number; seconds: number }
  /** Octets of a mail. */
  maxSize?: number
  /** Octets that must be free on its disk, or it takes no mails. */
  minFreeSpace?: number
  /** Default true. */
  smtpUtf8?: boolean
  /** For STARTTLS, which is not offered without, and for TLS from the start. */
  certificate?: Certificate
  /** Offers AUTH PLAIN, and asks nobody for it. Exim only. */
  login?: { user: string; password: string }
  greetingDelaySeconds?: number
  /** Between the final dot and its answer. */
  finalDelaySeconds?: number
  /** The answer to each recipient, such as `450 4.3.2 System not accepting network messages`. */
  refuseAll?: string
}
