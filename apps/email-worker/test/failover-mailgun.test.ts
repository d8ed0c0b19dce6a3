import { test } from '@mono/test-support'
import type { MailgunAnswer } from '@mono/test-support/sinks'
import { describe } from 'vitest'
import { openFarEnds } from './failover/far-ends.js'
import { runFailover, type Trouble } from './failover/run-failover.js'

/** Twenty requests under way, and mails that try it while it is broken. */
const fewInDoubt = { inDoubtAtMost: 45 }

const answers = (title: string, answer: MailgunAnswer, rest: Partial<Trouble> = {}): Trouble => ({
  title,
  break: ({ mailgun }) => mailgun.answer('all', answer),
  mend: ({ mailgun }) => mailgun.answer('all', 200),
  ...rest,
})

describe('2,000 mails go by the mail server, each once, when Mailgun', { timeout: 300_000 }, () => {
  test.for<Trouble>([
    answers('refuses the key', { status: 401, body: 'Forbidden' }),
    answers('answers 500, and has the mails', { status: 500, delivers: true }, fewInDoubt),
    answers('answers 429 with half a minute', { status: 429, retryAfter: 30 }, { isOnlySlow: true }),
    answers('hangs', 'hang', fewInDoubt),
  ])('$title', async (trouble, { vhost, database, workers, cleanUp }) => {
    const farEnds = await openFarEnds(cleanUp)
    await runFailover(farEnds, { first: 'mailgun', trouble }, { vhost, database, workers, cleanUp })
  })
})
