import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReceivedMail } from './parse-received-mail.js'

/** Somebody who takes mails, by the name that the page gives it. */
export interface MailTaker {
  name: string
  received: readonly ReceivedMail[]
}

export interface MailPageOptions {
  /** Where it listens. Default 127.0.0.1. */
  address?: string
  /** Default: one that is free. */
  port?: number
}

/** A web page with the mails that were taken, the newest first. */
export interface MailPage {
  port: number
  /** On 127.0.0.1. */
  url: string
  close(): Promise<void>
}

const shownMails = 100

export async function createMailPage(
  takers: readonly MailTaker[],
  { address = '127.0.0.1', port = 0 }: MailPageOptions = {},
): Promise<MailPage> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    // A mail may come from anybody.
    response.setHeader('content-security-policy', "default-src 'none'")
    response.end(renderPage(takers))
  })
  server.listen(port, address)
  await once(server, 'listening')
  const { port: boundPort } = server.address() as AddressInfo
  return {
    port: boundPort,
    url: `http://127.0.0.1:${boundPort}/`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function renderPage(takers: readonly MailTaker[]): string {
  const count = takers.reduce((sum, { received }) => sum + received.length, 0)
  const mails = takers
    .flatMap(({ name, received }) =>
      received
        .slice(-shownMails)
        .reverse()
        .map((mail) => ({ name, mail })),
    )
    .sort((a, b) => b.mail.at - a.mail.at)
    .slice(0, shownMails)
  // Of many it does not say how many: a far end may have forgotten some.
  const title = count > mails.length ? `Mails: the newest ${mails.length}` : `Mails: ${count}`
  return `<!doctype html><title>Mails</title><h1>${title}</h1>${mails.map(renderMail).join('<hr>')}`
}

function renderMail({ name, mail: { to, subject, text, html, at } }: { name: string; mail: ReceivedMail }): string {
  const heading = `<h2>${toHtml(subject)}</h2>`
  const way = `<p>to ${toHtml(to.join(', '))}, by ${toHtml(name)}, at ${new Date(at).toISOString()}</p>`
  return `${heading}${way}<pre>${toHtml(text || html)}</pre>`
}

const toHtml = (text = '') => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
