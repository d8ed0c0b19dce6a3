import { describe, expect } from 'vitest'
import { createH1Client, createH2Client, type PushClient } from '../../test/fixtures/push-client.js'
import { test as base } from '../test.js'
import { closeSink } from './close-sink.js'
import { createMailgunError, createMailgunService, type MailgunService } from './index.js'

interface Fixtures {
  service: MailgunService
  client: PushClient
}

const withClient = (createClient: (ca: string) => PushClient) =>
  base.extend<Fixtures>({
    // biome-ignore lint/correctness/noEmptyPattern: Vitest needs the braces.
    service: async ({}, use) => {
      const service = await createMailgunService({
        domains: [{ name: 'mg.example.com' }, { name: 'mg.example.eu', region: 'eu' }],
      })
      await use(service)
      await closeSink('Mailgun service', service)
    },
    client: async ({ service }, use) => {
      const client = createClient(service.ca)
      await use(client)
      client.close()
    },
  })

const test = withClient(createH2Client)

const mime = [
  'From: Mono <mono@example.com>',
  'To: ada@example.com',
  'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
  'Message-ID: <1@example.com>',
  '',
  'Good morning',
  '',
].join('\r\n')

interface Sending {
  /** The fields of the form; undefined leaves one out. */
  fields?: Record<string, string | readonly string[] | undefined>
  message?: string | Blob | undefined
  path?: string
  method?: string
  authorization?: string
  contentType?: string
}

/** Sends a mail that is in order, but for what is said. */
async function send(service: MailgunService, client: PushClient, sending: Sending = {}) {
  const { fields, path = '/v3/mg.example.com/messages.mime', method = 'POST', authorization, contentType } = sending
  const form = new FormData()
  for (const [name, values = []] of Object.entries({ to: 'ada@example.com', ...fields })) {
    for (const value of [values].flat()) form.append(name, value)
  }
  const message = 'message' in sending ? sending.message : new Blob([mime])
  if (message !== undefined) form.append('message', message as string)
  const encoded = new Response(form)
  return await client.send({
    url: `${service.origin}${path}`,
    method,
    headers: {
      authorization: authorization ?? `Basic ${Buffer.from(`api:${service.apiKey}`).toString('base64')}`,
      'content-type': contentType ?? encoded.headers.get('content-type') ?? '',
    },
    body: Buffer.from(await encoded.arrayBuffer()),
  })
}

describe.each([
  ['h2', createH2Client],
  ['http/1.1', createH1Client],
] as const)('over %s', (protocol, createClient) => {
  withClient(createClient)('takes a mail in order, and keeps it as it came', async ({ service, client }) => {
    const fields = { 'o:tracking': 'no', 'v:mono-tenant': '42' }
    expect(await send(service, client, { fields })).toMatchObject({
      status: 200,
      body: '{"id":"<1@example.com>","message":"Queued. Thank you."}',
    })
    expect(service.received).toMatchObject([
      {
        to: ['ada@example.com'],
        subject: 'Grüße',
        text: 'Good morning\n',
        messageId: '<1@example.com>',
        fields: { to: 'ada@example.com', ...fields },
        id: '<1@example.com>',
      },
    ])
    expect(service.attempts).toMatchObject([{ recipient: 'ada@example.com', protocol, answer: 200, reason: undefined }])
  })
})

const asKey = (key: string) => `Basic ${Buffer.from(`api:${key}`).toString('base64')}`
const from = (address: string) => new Blob([mime.replace('mono@example.com', address)])

describe('a request is refused', () => {
  test.for<[string, Sending, number, RegExp]>([
    ['without a key', { authorization: '' }, 401, /^Forbidden$/],
    ['with another key', { authorization: asKey('key-0') }, 401, /^Forbidden$/],
    ['with the key as user', { authorization: `Basic ${btoa('key-0123456789abcdef0123456789abcdef:')}` }, 401, /./],
    ['for a domain that it does not know', { path: '/v3/example.org/messages.mime' }, 404, /Domain not found/],
    ['for a domain of another region', { path: '/v3/mg.example.eu/messages.mime' }, 404, /Domain not found/],
    ['as another kind of form', { contentType: 'application/x-www-form-urlencoded' }, 400, /Invalid request content/],
    ['as a form that cannot be read', { contentType: 'multipart/form-data; boundary=x' }, 400, /malformed multipart/],
    ['without a recipient', { fields: { to: undefined } }, 400, /to parameter is missing/],
    ['for two recipients', { fields: { to: ['ada@example.com', 'bob@example.com'] } }, 400, /Too many recipients/],
    ['for a list of recipients', { fields: { to: 'ada@example.com, bob@example.com' } }, 400, /not a valid address/],
    ['for what is no address', { fields: { to: 'ada' } }, 400, /not a valid address/],
    ['without a mail', { message: undefined }, 400, /message parameter is missing/],
    ['with a mail that is no file', { message: mime }, 400, /not a file/],
    ['with a mail of 26 MB', { message: new Blob([mime, 'x'.repeat(26 * 1024 * 1024)]) }, 413, /Too Large/],
    ['with a mail of lines of another kind', { message: new Blob([mime.replaceAll('\r', '')]) }, 400, /CRLF/],
    ['with 17 kB of variables', { fields: { 'v:a': 'x'.repeat(9_000), 'h:X-B': 'x'.repeat(8_000) } }, 400, /16 kB/],
    ['with an option that there is not', { fields: { 'o:trackng': 'no' } }, 400, /no parameter o:trackng/],
    ['with an option that is neither yes nor no', { fields: { 'o:tracking': 'never' } }, 400, /not yes or no/],
    ['with an option twice', { fields: { 'o:tracking': ['no', 'yes'] } }, 400, /twice/],
    ['for a sender of another domain', { message: from('mono@example.org') }, 400, /'from' parameter/],
    ['for a sender whose domain only ends alike', { message: from('mono@badexample.com') }, 400, /'from' parameter/],
  ])('%s', async ([_what, sending, status, words], { service, client }) => {
    expect(await send(service, client, sending)).toMatchObject({ status, body: expect.stringMatching(words) })
    expect(service.received).toEqual([])
    expect(service.attempts).toMatchObject([{ answer: status, reason: expect.any(String) }])
  })

  test('without being told so, at a path that there is not', async ({ service, client }) => {
    const path = '/v3/mg.example.com/messages'
    expect(await send(service, client, { path })).toMatchObject({ status: 200, body: 'Mailgun Magnificent API' })
    expect(service.received).toEqual([])
  })
})

test('a mail of a test is taken and not delivered', async ({ service, client }) => {
  expect(await send(service, client, { fields: { 'o:testmode': 'yes' } })).toMatchObject({ status: 200 })
  expect(service.received).toEqual([])
})

test('answers as it was told, and delivers if it was told so', async ({ service, client }) => {
  const error = createMailgunError(429, 'Too Many Requests', { headers: { 'x-ratelimit-reset': '1' } })
  service.answer('Ada@example.com', [error, { status: 500, delivers: true }])
  expect(await send(service, client)).toMatchObject({ status: 429, body: '{"message":"Too Many Requests"}' })
  expect(await send(service, client)).toMatchObject({ status: 500, body: '' })
  expect(service.counts()).toEqual(new Map([['ada@example.com', 1]]))
  service.answer('all', 401)
  expect(await send(service, client, { fields: { to: 'bob@example.com' } })).toMatchObject({ status: 401 })
})

test('keeps no more mails and requests than it was told', async ({ cleanUp }) => {
  const service = await createMailgunService({ keep: { mails: 2, bytes: 1_000_000 } })
  const client = createH2Client(service.ca)
  cleanUp(() => service.close())
  cleanUp(() => client.close())
  for (const to of ['ada@example.com', 'bob@example.com', 'eve@example.com'])
    await send(service, client, { fields: { to } })
  expect(service.received.map(({ to }) => to)).toEqual([['bob@example.com'], ['eve@example.com']])
  expect(service.attempts.map(({ recipient }) => recipient)).toEqual(['bob@example.com', 'eve@example.com'])
})
