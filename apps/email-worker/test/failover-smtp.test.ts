import { test } from '@mono/test-support'
import { createCertificateAuthority, createSmtpSink, type SmtpAnswer, type SmtpSink } from '@mono/test-support/sinks'
import { describe } from 'vitest'
import { type FarEnds, openFarEnds, toReceived, writeAuthorities } from './failover/far-ends.js'
import { runFailover, type Trouble } from './failover/run-failover.js'
import type { SilentStage } from './failover/silent-smtp-proxy.js'

/** Mails on ten connections that are cut, or whose server falls silent after the mail; and those that try it while it is broken. */
const fewInDoubt = { inDoubtAtMost: 25 }

const hangsAt = (stage: SilentStage): Trouble => ({
  title: `hangs at ${stage}`,
  break: ({ smtpProxy }) => smtpProxy.fallSilent(stage),
  mend: ({ smtpProxy }) => smtpProxy.fallSilent(undefined),
})

const answers = (title: string, answer: SmtpAnswer, rest: Partial<Trouble> = {}): Trouble => ({
  title,
  break: ({ smtpSink }) => smtpSink.answer('all', answer),
  mend: ({ smtpSink }) => smtpSink.answer('all', 'accept'),
  ...rest,
})

describe('2,000 mails go by Mailgun, each once, when the mail server', { timeout: 300_000 }, () => {
  test.for<Trouble>([
    {
      title: 'refuses connections',
      break: ({ smtpProxy }) => smtpProxy.refuse(),
      mend: ({ smtpProxy }) => smtpProxy.accept(),
      ...fewInDoubt,
    },
    {
      title: 'hangs up before its greeting',
      break: ({ smtpSink }) => smtpSink.stop(),
      mend: ({ smtpSink }) => smtpSink.start(),
      ...fewInDoubt,
    },
    // For these, connections are cut.
    { ...hangsAt('greeting'), ...fewInDoubt },
    { ...hangsAt('EHLO'), ...fewInDoubt },
    hangsAt('MAIL'),
    hangsAt('RCPT'),
    hangsAt('DATA'),
    answers('hangs after the dot', 'hang-after-data', fewInDoubt),
    answers('drops after the dot', 'drop-after-data', fewInDoubt),
    answers('answers 451 to every recipient', 'rcpt 451'),
  ])('$title', async (trouble, { vhost, database, workers, cleanUp }) => {
    const farEnds = await openFarEnds(cleanUp)
    await runFailover(farEnds, { first: 'smtp', trouble }, { vhost, database, workers, cleanUp })
  })

  test('has an expired certificate', async ({ vhost, database, workers, cleanUp }) => {
    const farEnds = await openFarEndsWithTls(cleanUp)
    const trouble: Trouble = {
      title: 'has an expired certificate',
      break: () => farEnds.reopen({ expired: true }),
      mend: () => farEnds.reopen({ expired: false }),
      ...fewInDoubt,
    }
    await runFailover(farEnds, { first: 'smtp', trouble }, { vhost, database, workers, cleanUp })
  })
})

type CleanUp = Parameters<typeof openFarEnds>[0]

/** The mail server has no proxy before it, and a certificate. */
async function openFarEndsWithTls(cleanUp: CleanUp): Promise<FarEnds & { reopen(o: Expiry): Promise<void> }> {
  const farEnds = await openFarEnds(cleanUp)
  const authority = createCertificateAuthority()
  const sinks: SmtpSink[] = []
  const reopen = async ({ expired }: Expiry) => {
    const last = sinks.at(-1)
    await last?.close()
    const certificate = authority.issue(['localhost', '127.0.0.1'], { expired })
    sinks.push(await createSmtpSink({ port: last?.port ?? 0, starttls: true, certificate }))
  }
  cleanUp(() => sinks.at(-1)?.close())
  await reopen({ expired: false })
  return {
    ...farEnds,
    reopen,
    env: {
      ...farEnds.env,
      SMTP_URL: `smtp://localhost:${sinks[0]?.port}?tls=required`,
      NODE_EXTRA_CA_CERTS: writeAuthorities([farEnds.mailgun.ca, authority.cert], cleanUp),
    },
    received: () => [
      ...sinks.flatMap((sink) => sink.received.map((mail) => toReceived('smtp', mail))),
      ...farEnds.received(),
    ],
  }
}

interface Expiry {
  expired: boolean
}
