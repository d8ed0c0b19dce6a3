import { AccessTokenError } from '@mono/access-tokens'
import { type HttpAnswer, HttpRequestError } from '@mono/http-client'
import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createFaultLog } from '../sending/fault-log.js'
import { createFcmApi } from './fcm-api.js'
import { probeFcm } from './probe-fcm.js'

const answer = (status: number, body: object | string): HttpAnswer => ({
  status,
  headers: {},
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  complete: true,
})

const fault = (status: number, detail?: object): HttpAnswer =>
  answer(status, { error: { message: `It is ${status}.`, details: detail === undefined ? [] : [detail] } })

const fcmError = (errorCode: string) => ({ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode })

/** Probes FCM, which answers so, and returns what was said and asked. */
async function probe({
  answers,
  token = async () => 'token',
}: {
  answers: (HttpAnswer | Error)[]
  token?: () => Promise<string>
}) {
  const logger = createRecordingLogger()
  const bodies: unknown[] = []
  const api = createFcmApi({
    url: new URL('https://fcm.example.com/v1/projects/my-project/messages:send'),
    faults: createFaultLog({ logger }),
    tokens: { get: token, renew: async () => 'another' },
    client: {
      async request({ body }) {
        bodies.push(JSON.parse(String(body)))
        const next = answers.length > 1 ? answers.shift() : answers[0]
        if (next instanceof Error) throw next
        return next as HttpAnswer
      },
    },
  })
  await probeFcm({ api, projectId: 'my-project', logger })
  return { bodies, lines: logger.lines.map(({ level, message }) => `${level}: ${message}`), logger }
}

const takes = 'info: FCM takes messages for the project'
const refuses =
  'error: FCM refuses the service account; check its project, its role, FCM_ORIGIN, and whether the API is on'

test('one message is checked, for nobody, and not delivered', async () => {
  const { bodies } = await probe({ answers: [fault(404, fcmError('UNREGISTERED'))] })
  expect(bodies).toEqual([
    { validate_only: true, message: { token: 'mono-probe', android: { priority: 'NORMAL', ttl: '0s' } } },
  ])
})

test.each([
  [
    'the field of the token is named',
    answer(400, {
      error: {
        message: 'Invalid',
        details: [
          fcmError('INVALID_ARGUMENT'),
          { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'message.token' }] },
        ],
      },
    }),
  ],
  ['nobody has it', fault(404, fcmError('UNREGISTERED'))],
  ['another project has it', fault(403, fcmError('SENDER_ID_MISMATCH'))],
  ['it is fine', answer(200, { name: 'projects/my-project/messages/fake_message_id' })],
])('the settings are right if %s', async (_name, given) => {
  expect((await probe({ answers: [given] })).lines).toEqual([takes])
})

test.each([
  ['a token that is refused twice', fault(401), 2],
  ['a project without rights', fault(403), 1],
  ['a project that is none', fault(404), 1],
])('%s is one error line', async (_name, given, requests) => {
  const { lines, bodies, logger } = await probe({ answers: [given] })
  expect(lines).toEqual([refuses])
  expect(logger.lines[0]?.data).toMatchObject({
    code: 'FCM_REJECTED',
    reason: `HTTP ${given.status}: It is ${given.status}.`,
  })
  expect(bodies).toHaveLength(requests)
})

test.each([
  ['busy', fault(503), 'FCM does not say whether it takes messages'],
  ['over its quota', fault(429), 'FCM does not say whether it takes messages'],
  [
    'of another mind about our message',
    fault(400, fcmError('INVALID_ARGUMENT')),
    'FCM does not say whether it takes messages',
  ],
  ['a page', answer(404, '<html><title>Not Found</title></html>'), 'FCM does not say whether it takes messages'],
  [
    'away',
    new HttpRequestError('CONNECTION_FAILED', 'No', { sent: false }),
    'FCM cannot be asked whether it takes messages',
  ],
  ['a bug', new TypeError('x is not a function'), 'FCM cannot be asked whether it takes messages'],
])('FCM that is %s is left alone', async (_name, given, message) => {
  expect((await probe({ answers: [given] })).lines).toEqual([`warn: ${message}`])
})

test('without an access token nothing is asked and nothing said: its line has been written', async () => {
  const token = async () => {
    throw new AccessTokenError('ACCESS_TOKEN_REFUSED', { reason: 'HTTP 400', delayMs: 60_000 })
  }
  expect(await probe({ answers: [], token })).toMatchObject({ bodies: [], lines: [] })
})
