/** Where a mail server runs: in a container, or beside us with a directory of its own. */
export interface MailServerHost {
  /** The directory of configuration, queue, logs and mails, as the server sees it. */
  readonly root: string
  /** Where the server is to listen. */
  readonly listen: { address: string; smtp: number; smtps: number }
  /** Where we reach it, on 127.0.0.1. */
  readonly ports: { smtp: number; smtps: number }
  /**
   * Runs a script of a POSIX shell there, as root.
   * @returns its standard output
   * @throws Error with what it said, if it does not succeed
   */
  run(script: string): Promise<Buffer>
  /** Ends what runs there and leaves nothing behind. */
  remove(): Promise<void>
}
