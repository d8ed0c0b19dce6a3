import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { spawnNode, untilExited } from '../src/child-process.js'
import { type TestFixtures, test } from '../src/test.js'
import { createH2Client } from './fixtures/push-client.js'

const script = fileURLToPath(new URL('../dist/run-mailgun.js', import.meta.url))
const key = 'key-of-the-test'

async function createDirectory(cleanUp: TestFixtures['cleanUp']): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mailgun-'))
  cleanUp(() => rm(directory, { recursive: true }))
  return directory
}

/** Starts it on ports that are free, and waits until it has said which. */
async function start(certificate: string, cleanUp: TestFixtures['cleanUp']) {
  const args = ['--host', 'localhost', '--key', key, '--certificate', certificate, '--port', '0', '--page-port', '0']
  const child = spawnNode(script, args, {})
  const exited = untilExited(child)
  const stop = async () => {
    child.kill('SIGTERM')
    return await exited
  }
  cleanUp(stop)
  const [line] = await once(child.stdout?.setEncoding('utf8') ?? child, 'data')
  const [, port, pagePort] = /port (\d+), .* port (\d+)/.exec(line) ?? []
  const ca = await readFile(join(certificate, 'certificate.pem'), 'utf8')
  return { ca, origin: `https://localhost:${port}`, page: `http://127.0.0.1:${pagePort}/`, stop }
}

async function send(origin: string, ca: string, cleanUp: TestFixtures['cleanUp']) {
  const client = createH2Client(ca)
  cleanUp(() => client.close())
  const form = new FormData()
  form.append('to', 'ada@example.com')
  form.append('message', new Blob(['From: mono@example.com\r\nSubject: <b>Hello</b>\r\n\r\nGood morning\r\n']))
  const encoded = new Response(form)
  return await client.send({
    url: `${origin}/v3/mg.example.com/messages.mime`,
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`api:${key}`)}`,
      'content-type': encoded.headers.get('content-type') ?? '',
    },
    body: Buffer.from(await encoded.arrayBuffer()),
  })
}

test('takes a mail and shows it on its page', async ({ cleanUp }) => {
  const mailgun = await start(await createDirectory(cleanUp), cleanUp)
  expect(await send(mailgun.origin, mailgun.ca, cleanUp)).toMatchObject({ status: 200, failure: undefined })
  const page = await fetch(mailgun.page, { headers: { connection: 'close' } })
  expect(await page.text()).toContain('<h2>&#60;b&#62;Hello&#60;/b&#62;</h2><p>to ada@example.com, by Mailgun')
})

test('keeps its certificate, so that who trusts it goes on after a restart', async ({ cleanUp }) => {
  const directory = await createDirectory(cleanUp)
  const { ca, stop } = await start(directory, cleanUp)
  expect(await stop()).toEqual({ code: 0, signal: null })
  const again = await start(directory, cleanUp)
  expect(await send(again.origin, ca, cleanUp)).toMatchObject({ status: 200, failure: undefined })
})
