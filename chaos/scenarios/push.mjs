// @ts-check
const pauseMs = 20_000

/**
 * @param {string} name
 * @param {string} what
 * @param {import('@mono/test-support/sinks').PushAnswer} answer
 * @param {Partial<import('../scenario.mjs').Scenario>} [rest]
 * @returns {import('../scenario.mjs').Scenario}
 */
const createPushScenario = (name, what, answer, rest) => ({
  name,
  what: `for 20 s the push service ${what}`,
  seconds: pauseMs / 1000,
  queues: ['push.notifications'],
  goesOnWithin: 10,
  async fault({ stage, pause }) {
    stage.farEnds.pushService.answer('all', answer)
    await pause(pauseMs)
    stage.farEnds.pushService.answer('all', 201)
  },
  ...rest,
})

export const pushScenarios = [
  createPushScenario('push-429', 'answers 429 with Retry-After: 5', { status: 429, retryAfter: 5 }),
  createPushScenario('push-500', 'answers 500', 500),
  createPushScenario('push-reset', 'resets the connection', 'reset'),
  createPushScenario('push-hang', 'never answers', 'hang'),
  createPushScenario('push-goaway', 'says GOAWAY and answers nothing that is under way', 'goaway-drop'),
  createPushScenario(
    'push-410',
    'answers 410 to one of fifty devices: what was sent to it is given up, what follows has nobody',
    410,
    {
      isTest: true,
      mayGiveUp: (_queue, index) => index % 50 === 0,
      givesUpAs: ['ALL_RECIPIENTS_FAILED'],
      mayHaveNobody: (_queue, index) => index % 50 === 0,
      async fault({ stage, pause }) {
        const [device] = stage.devices
        if (device) stage.farEnds.pushService.answer(device, 410)
        await pause(pauseMs)
      },
    },
  ),
]
