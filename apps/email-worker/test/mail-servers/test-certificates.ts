import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@mono/contracts'
import { migrate, test, waitFor } from '@mono/test-support'
import type { MailServer } from '@mono/test-support/mail-servers'
import { createCertificateAuthority, createSelfSignedCertificate } from '@mono/test-support/sinks'
import { expect } from 'vitest'
import { bringBack } from '../bring-back.js'

const authority = createCertificateAuthority()
const good = authority.issue(['localhost'])
const expired = authority.issue(['localhost'], { expired: true })

/** Each with the words of `/readyz`. */
const otherBadCertificates = [
  [authority.issue(['mail.example.com']), /does not match certificate's altnames/],
  [createSelfSignedCertificate(['localhost']), /self-signed certificate/],
] as const

/** After so many deferrals nothing is taken. */
const count = 5

/** A certificate expires, is replaced by others that are no better, and then by a good one. */
export function testCertificates(getServer: () => MailServer): void {
  test.for(['smtps', 'STARTTLS'] as const)(
    'over %s, mails wait for a certificate that can be trusted; no attempt is counted, and the reason is told',
    async (way, { vhost, database, workers, cleanUp }) => {
      const server = getServer()
      const directory = mkdtempSync(join(tmpdir(), 'email-worker-'))
      cleanUp(() => rmSync(directory, { recursive: true }))
      const authorityFile = join(directory, 'authority.pem')
      writeFileSync(authorityFile, authority.cert)
      await server.configure({ certificate: expired })
      await server.clearMails()
      await migrate('email-worker', database.url)
      const worker = workers.spawn('email-worker', {
        RABBITMQ_URL: vhost.url,
        DATABASE_URL: database.url,
        SMTP_URL: way === 'smtps' ? server.tlsUrl : `${server.url}?tls=required`,
        EMAIL_FROM: 'Mono <mono@example.com>',
        NODE_EXTRA_CA_CERTS: authorityFile,
      })
      await worker.ready()
      const body = { ...examples['email.message'], to: ['ada@example.com'] }
      const publish = (messageId: string) => vhost.publish('notifications', 'email.send', body, { messageId })
      const readReason = async () => {
        const { checks } = (await (await fetch(`${worker.httpUrl}/readyz`)).json()) as { checks: ReadyChecks }
        return checks.breakers.smtp.error ?? ''
      }
      const untilSaid = (words: RegExp) =>
        waitFor(async () => words.test(await readReason()), { what: `/readyz to say ${words}`, timeoutMs: 20_000 })
      const readRows = () =>
        database.query<{ state: string; last_code: string | null }>('SELECT state, last_code FROM email.deliveries')

      for (let index = 0; index < count; index += 1) await publish(`message-${index}`)
      await untilSaid(/certificate has expired|CERT_HAS_EXPIRED/)
      expect(await readRows()).toEqual(
        Array.from({ length: count }, () => ({ state: 'retry', last_code: 'ESOCKET_CERT_HAS_EXPIRED' })),
      )
      expect(JSON.stringify(worker.logs)).toContain('CERT_HAS_EXPIRED')
      await publish('last')
      for (const [certificate, words] of otherBadCertificates) {
        await server.configure({ certificate })
        await untilSaid(words)
      }

      await server.configure({ certificate: good })
      const waited = await bringBack(vhost, { atLeast: count })
      expect(waited.map(({ headers }) => headers['x-attempts'] ?? 0)).toEqual(waited.map(() => 0))
      const areSent = async () => {
        const rows = await readRows()
        return rows.length === count + 1 && rows.every(({ state }) => state === 'sent')
      }
      await waitFor(areSent, { what: 'all mails in the ledger', timeoutMs: 20_000 })
      expect(await worker.terminate()).toEqual({ code: 0, signal: null })
      expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
      const mails = await server.readMails()
      expect(mails).toHaveLength(count + 1)
      expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(count + 1)
      for (const { headers } of mails) expect(headers.received).toMatch(/\bwith esmtps\b/i)
    },
  )
}

interface ReadyChecks {
  breakers: { smtp: { error?: string } }
}
