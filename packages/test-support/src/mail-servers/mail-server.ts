import { isDeepStrictEqual } from 'node:util'
import { waitFor } from '../wait-for.js'
import { exim } from './exim.js'
import { findMailServerHost } from './find-mail-server-host.js'
import type { MailServerHost } from './mail-server-host.js'
import type { MailServerName, MailServerOptions } from './mail-server-options.js'
import { postfix } from './postfix.js'
import { type DeliveredMail, readDeliveredMails } from './read-delivered-mails.js'

/** What is particular to one of them. */
export interface MailServerKind {
  /** Its files, by their paths below the host's root. */
  createFiles(host: MailServerHost, options: MailServerOptions): Record<string, string>
  /** Scripts of a shell, whose variable `root` is the host's. */
  readonly prepare: string
  readonly start: string
  readonly stop: string
  /** Delivers what it has taken, unless it does so by itself. */
  readonly deliver: string
  /** Prints the names of what it has taken and not yet delivered. */
  readonly listQueue: string
}

/** Debian's Postfix or Exim, that takes mails for example.com and delivers them where they can be read. */
export interface MailServer {
  readonly name: MailServerName
  readonly port: number
  /** `smtp://localhost:<port>`; with STARTTLS, if it has a certificate. */
  readonly url: string
  /** `smtps://localhost:<port>`, if it has a certificate. */
  readonly tlsUrl: string
  /** Starts it with these options, and no others, on the same ports; again, if they differ. What it has delivered stays. */
  configure(options: MailServerOptions): Promise<void>
  /** Whoever connects is hung up on, or refused. */
  stop(): Promise<void>
  start(): Promise<void>
  /** What it has delivered, when it holds nothing any more that it has taken. */
  readMails(): Promise<DeliveredMail[]>
  /** How many it has delivered so far. */
  countMails(): Promise<number>
  /** Forgets what it has taken. */
  clearMails(): Promise<void>
  readLog(): Promise<string>
  close(): Promise<void>
}

const kinds: Readonly<Record<MailServerName, MailServerKind>> = { postfix, exim }

/** @throws Error if there is nowhere to run it: ask `findMailServerHost` before */
export async function startMailServer(name: MailServerName, options: MailServerOptions = {}): Promise<MailServer> {
  const found = await findMailServerHost(name)
  if ('obstacle' in found) throw new Error(`${name} cannot be run: ${found.obstacle}`)
  const kind = kinds[name]
  const host = await found.createHost(kind.stop)
  const run = (script: string) => host.run(`root=${host.root}\n${script}`)
  let isRunning = false
  let current: MailServerOptions | undefined

  async function start(): Promise<void> {
    // When this is over, it listens.
    if (!isRunning) await run(kind.start)
    isRunning = true
  }
  async function stop(): Promise<void> {
    if (isRunning) await run(kind.stop)
    isRunning = false
  }
  async function configure(wanted: MailServerOptions): Promise<void> {
    if (isDeepStrictEqual(current, wanted)) return await start()
    const files = Object.entries(kind.createFiles(host, wanted)).map(([path, text]) => {
      const encoded = Buffer.from(text).toString('base64')
      return `mkdir -p "$(dirname "$root/${path}")"; echo ${encoded} | base64 -d >"$root/${path}"`
    })
    current = undefined
    await run([...(isRunning ? [kind.stop] : []), ...files, kind.prepare, kind.start].join('\n'))
    isRunning = true
    current = wanted
  }
  async function close(): Promise<void> {
    try {
      await stop()
    } finally {
      await host.remove()
    }
  }
  try {
    await configure(options)
  } catch (error) {
    const log = await run('cat "$root"/log* 2>&1 || true').catch(String)
    await close().catch(() => undefined)
    throw new Error(`${name} could not be started: ${(error as Error).message}\n${log}`, { cause: error })
  }
  return {
    name,
    port: host.ports.smtp,
    url: `smtp://localhost:${host.ports.smtp}`,
    tlsUrl: `smtps://localhost:${host.ports.smtps}`,
    configure,
    stop,
    start,
    async readMails() {
      await waitFor(async () => (await run(`${kind.deliver}\n${kind.listQueue}`)).length === 0, {
        what: `${name} to deliver what it has taken`,
        timeoutMs: 30_000,
        intervalMs: 200,
      })
      return await readDeliveredMails(await run('cd "$root/mail/all"; tar -cf - new'))
    },
    countMails: async () => Number(await run(`${kind.deliver}\nls "$root/mail/all/new" | wc -l`)),
    async clearMails() {
      await run(`${kind.deliver}\nrm -f "$root"/mail/all/new/*`)
    },
    readLog: async () => (await run('cat "$root"/log* || cat "$root"/log/*')).toString(),
    close,
  }
}
