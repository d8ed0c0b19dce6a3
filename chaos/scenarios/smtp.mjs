// @ts-check
const pauseMs = 20_000

/** Of the mails on their way when the server's connections are cut, ten to each of two workers. */
const cutOff = {
  mayDoTwice: {
    'email.notifications': 'the server had taken them when it cut the connections; EMAIL_ON_UNKNOWN=resend',
  },
  twiceAtMost: 20,
}

/**
 * @param {string} name
 * @param {string} what
 * @param {Omit<import('../scenario.mjs').Scenario, 'name' | 'what' | 'seconds' | 'queues'>} rest
 * @returns {import('../scenario.mjs').Scenario}
 */
const createSmtpScenario = (name, what, rest) => ({
  name,
  what,
  seconds: pauseMs / 1000,
  queues: ['email.notifications'],
  ...rest,
})

export const smtpAway = createSmtpScenario('smtp-away', 'the mail server takes no connections for 20 s', {
  goesOnWithin: 10,
  ...cutOff,
  async fault({ stage, pause }) {
    await stage.farEnds.mailCatcher.stop()
    await pause(pauseMs)
    await stage.farEnds.mailCatcher.start()
  },
})

export const smtpRefuses = createSmtpScenario('smtp-refuses', 'the mail server answers each sender with 451 for 20 s', {
  goesOnWithin: 10,
  async fault({ stage, pause }) {
    stage.farEnds.mailCatcher.answer('all', 'mail 451')
    await pause(pauseMs)
    stage.farEnds.mailCatcher.answer('all', 'accept')
  },
})

export const smtpHangs = createSmtpScenario(
  'smtp-hangs',
  'for 20 s the mail server takes connections and says nothing',
  {
    messages: { 'email.notifications': 1000 },
    goesOnWithin: 10,
    ...cutOff,
    async fault({ stage, pause }) {
      const { mailCatcher } = stage.farEnds
      await mailCatcher.stop()
      mailCatcher.answer('all', 'hang-at-greeting')
      await mailCatcher.start()
      await pause(pauseMs)
      mailCatcher.answer('all', 'accept')
    },
  },
)

export const smtpDrops = createSmtpScenario(
  'smtp-drops',
  'for 20 s the mail server takes each mail and drops the connection instead of an answer',
  {
    messages: { 'email.notifications': 1000 },
    goesOnWithin: 10,
    mayDoTwice: { 'email.notifications': 'the server took them and did not say so; EMAIL_ON_UNKNOWN=resend' },
    async fault({ stage, pause }) {
      stage.farEnds.mailCatcher.answer('all', 'drop-after-data')
      await pause(pauseMs)
      stage.farEnds.mailCatcher.answer('all', 'accept')
    },
  },
)

export const smtpPerRecipient = createSmtpScenario(
  'smtp-per-recipient',
  'of ten recipients one is refused with 451 once, one with 451 and then 550: the latter are given up',
  {
    messages: { 'email.notifications': 1000 },
    mayGiveUp: (_queue, index) => index % 10 === 1,
    givesUpAs: ['ALL_RECIPIENTS_FAILED'],
    async prepare({ stage, messages }) {
      for (let index = 0; index < messages; index += 10) {
        stage.farEnds.mailCatcher.answer(`recipient-${index}@example.com`, ['rcpt 451'])
        stage.farEnds.mailCatcher.answer(`recipient-${index + 1}@example.com`, ['rcpt 451', 'rcpt 550'])
      }
    },
    fault: ({ pause }) => pause(pauseMs),
  },
)
