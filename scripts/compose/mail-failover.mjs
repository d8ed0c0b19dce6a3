// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { step } from '../services/progress.mjs'

const mails = 20
const limitMs = 60_000
const pollMs = 250

/**
 * Has mails go by Mailgun while the mail catcher is away, and by it again when it is back. What the mail catcher had is
 * gone afterwards.
 * @param {import('./test-fleet.mjs').TestFleet} testFleet
 * @param {import('@mono/message-queue').MessageQueue} messageQueue
 * @param {import('./run-fleet-test.mjs').Report} report
 */
export async function testMailFailover({ withVariables, sources, ports }, messageQueue, { print, check }) {
  const fleet = withVariables({ EMAIL_PROVIDERS: 'smtp,mailgun' })
  /** Resolves with the provider. @param {number} index */
  const send = async (index) => {
    const messageId = `failover-${index}`
    const [to, subject] = [`failover-${index}@example.com`, `<b>number ${index}</b>`]
    await messageQueue.sendEmailMessage({ to: [to], subject, text: 'Good morning', tenantId: 42 }, { messageId })
    const deadline = performance.now() + limitMs
    for (;;) {
      const sql = "SELECT provider FROM email.deliveries WHERE message_id = $1 AND state = 'sent'"
      const [row] = await sources.query(sql, [messageId])
      if (row !== undefined) return row.provider
      if (performance.now() > deadline)
        throw new Error(`expected ${messageId} to be sent within a minute, found it is not`)
      await sleep(pollMs)
    }
  }

  await step('giving email-worker two providers', () =>
    fleet.up('--no-deps', '--scale', 'email-worker=1', 'email-worker'),
  )
  await fleet.compose('stop', '--timeout', '1', 'mail-catcher')
  const providers = await step(`${mails} mails without the mail catcher`, () =>
    Promise.all(Array.from({ length: mails }, (_, index) => send(index))),
  )
  const byMailgun = providers.filter((provider) => provider === 'mailgun').length
  check(byMailgun === mails, `expected ${mails} mails to go by Mailgun, found ${byMailgun}`)
  const page = await (await fetch(`http://127.0.0.1:${ports.MAILGUN_PAGE_PORT}`)).text()
  const shown = page.match(/<h2>&#60;b&#62;number \d+&#60;\/b&#62;<\/h2>/g)?.length ?? 0
  check(shown === mails, `expected Mailgun's page to show ${mails} mails, found ${shown}`)
  print(`without the mail catcher: ${byMailgun} mails went by Mailgun, whose page shows ${shown}`)

  const since = performance.now()
  await fleet.compose('start', 'mail-catcher')
  let sent = mails
  await step('mails until one goes by the mail catcher', async () => {
    while ((await send(sent)) !== 'smtp') {
      if (performance.now() - since > limitMs) throw new Error('no mail goes by the mail catcher again')
      sent += 1
      await sleep(pollMs)
    }
  })
  const seconds = ((performance.now() - since) / 1000).toFixed(1)
  print(`with the mail catcher again: the first mail went by it ${seconds} s after its start`)
}
