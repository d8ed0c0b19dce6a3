import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { examples } from '@mono/contracts'
import { migrate, type SmtpSink, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { emailEnvironment } from './email-environment.js'

const builtInTemplates = fileURLToPath(new URL('../templates', import.meta.url))

test.beforeEach(async ({ database }) => {
  await migrate('email-worker', database.url)
})

const mail = (fields: object = {}) => ({ ...examples['email.message'], to: ['ada@example.com'], ...fields })

const notification = (fields: object = {}) => ({
  to: ['ada@example.com'],
  subject: 'Welcome',
  template: 'welcome',
  data: { userName: 'Ada' },
  tenantId: 42,
  ...fields,
})

const untilReceived = (smtpSink: SmtpSink, count: number) =>
  waitFor(() => smtpSink.received.length >= count, { what: `${count} mails`, timeoutMs: 20_000 })

describe('email-worker', () => {
  test('sends mails as given and from templates, once, and stops on SIGTERM', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    await vhost.publish('notifications', 'email.send', mail(), { messageId: 'given' })
    for (const messageId of ['rendered', 'rendered']) {
      await vhost.publish('notifications', 'email.template', notification(), { messageId })
    }
    await waitFor(
      async () => (await database.query("SELECT FROM email.deliveries WHERE state = 'sent'")).length === 2,
      {
        what: 'two mails in the ledger',
      },
    )
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    expect(smtpSink.received.map(({ subject }) => subject).sort()).toEqual(['Minutes of the meeting', 'Welcome'])
    expect(smtpSink.received.every(({ headers }) => headers.from === 'Mono <mono@example.com>')).toBe(true)
    expect(await vhost.countMessages('email.notifications')).toBe(0)
    expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
    expect(JSON.stringify(worker.logs)).not.toContain('ada@example.com')
  })

  test('a subject with a line break is sent as one line', async ({ vhost, database, smtpSink, workers }) => {
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    const subject = 'Hello\r\nBcc: eve@example.com\r\n\r\nand another body'
    await vhost.publish('notifications', 'email.send', mail({ subject }), { messageId: 'given' })
    await vhost.publish('notifications', 'email.template', notification({ subject }), { messageId: 'rendered' })
    await untilReceived(smtpSink, 2)
    await worker.terminate()
    expect(smtpSink.received).toHaveLength(2)
    for (const received of smtpSink.received) {
      expect(received).toMatchObject({
        to: ['ada@example.com'],
        subject: 'Hello Bcc: eve@example.com and another body',
      })
      expect(received.headers).not.toHaveProperty('bcc')
    }
    expect(smtpSink.counts().size).toBe(1)
  })

  test('a refused login dead-letters nothing, and counts no attempt', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    smtpSink.answer('all', 'auth 535')
    const SMTP_URL = smtpSink.url.replace('//', '//mono:wrong@')
    const worker = workers.spawn('email-worker', { ...emailEnvironment({ vhost, database, smtpSink }), SMTP_URL })
    await worker.ready()
    for (const messageId of ['a', 'b', 'c']) await vhost.publish('notifications', 'email.send', mail(), { messageId })
    const waiting = await vhost.drainQueue('email.notifications.retry.60s', 3, { timeoutMs: 20_000 })
    expect(waiting.map(({ headers }) => headers['x-attempts'] ?? 0)).toEqual([0, 0, 0])
    await worker.terminate()
    expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
  })

  test('SIGTERM lets what is on its way arrive; the rest is sent by another process, all of it once', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    smtpSink.answer('all', 'delay 50')
    // So that it does not have all of them in hand.
    const env = { ...emailEnvironment({ vhost, database, smtpSink }), PREFETCH: '20' }
    const first = workers.spawn('email-worker', env)
    await first.ready()
    const to = Array.from({ length: 10 }, (_, index) => `user-${index}@example.com`)
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        vhost.publish('notifications', 'email.send', mail({ to }), { messageId: `${index}` }),
      ),
    )
    await untilReceived(smtpSink, 50)
    expect(await first.terminate()).toEqual({ code: 0, signal: null })
    expect(await database.query("SELECT FROM email.deliveries WHERE state <> 'sent'")).toEqual([])
    expect(smtpSink.received.length).toBeLessThan(400)

    smtpSink.answer('all', 'accept')
    const second = workers.spawn('email-worker', env)
    await second.ready()
    await untilReceived(smtpSink, 400)
    await second.terminate()
    expect([...smtpSink.counts().values()]).toEqual(Array.from({ length: 10 }, () => 40))
  })

  test('a fault in a template ends the process with its place', async ({
    vhost,
    database,
    smtpSink,
    workers,
    cleanUp,
  }) => {
    const directory = mkdtempSync(join(tmpdir(), 'templates-'))
    cleanUp(async () => rmSync(directory, { recursive: true }))
    cpSync(builtInTemplates, directory, { recursive: true })
    writeFileSync(join(directory, 'welcome/text.liquid'), 'Hello {{ userNmae }}')
    const env = { ...emailEnvironment({ vhost, database, smtpSink }), EMAIL_TEMPLATES_DIR: directory }
    const worker = workers.spawn('email-worker', env)
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    expect(JSON.stringify(worker.logs)).toContain(
      'welcome/text.liquid:1:10: uses the variable \\"userNmae\\", which welcome/schema.json does not have',
    )
  })

  test('starts with a fault list instead of half an environment', async ({ workers }) => {
    const worker = workers.spawn('email-worker', { EMAIL_FROM: 'nobody' })
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    for (const name of ['RABBITMQ_URL', 'DATABASE_URL', 'SMTP_URL', 'EMAIL_FROM']) {
      expect(worker.stderr).toContain(`${name}: expected`)
    }
  })
})
