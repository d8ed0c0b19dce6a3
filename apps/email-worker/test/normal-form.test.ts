import { createDeliveryLedger } from '@mono/delivery-ledger'
import { createRecordingLogger, migrate, type TestDatabase, test } from '@mono/test-support'
import { createSmtpSink } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { createEmailHandler } from '../src/handle-email.js'
import { parseSmtpUrl } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'
import { createSuppressions } from '../src/suppressions.js'
import { receivedEmailMessage } from './received-email.js'

interface SetUpOptions {
  database: TestDatabase
  cleanUp: (release: () => Promise<unknown> | unknown) => void
}

async function setUp({ database, cleanUp }: SetUpOptions) {
  await migrate('email-worker', database.url)
  const sink = await createSmtpSink({ smtpUtf8: true })
  cleanUp(() => sink.close())
  const provider = createSmtpProvider(parseSmtpUrl(`${sink.url}?tls=off`))
  cleanUp(() => provider.close())
  const pool = database.createPool()
  const handler = createEmailHandler({
    ledger: createDeliveryLedger({ pool, table: 'email.deliveries', recipientColumn: 'recipient' }),
    suppressions: createSuppressions(pool),
    templates: {
      names: [],
      render: () => {
        throw new Error('No template is asked for')
      },
    },
    provider,
    from: { address: 'mono@example.com' },
    onUnknown: 'resend',
    concurrency: 4,
  })
  const { signal } = new AbortController()
  return {
    sink,
    /** The sink tells a domain in its letters. */
    sentTo: () => sink.received.map(({ to }) => to[0] ?? ''),
    handle: (to: string[], metadata = {}) =>
      handler(receivedEmailMessage({ to }, metadata), {
        signal,
        logger: createRecordingLogger(),
        othersMayWait: () => false,
      }),
    suppress: (address: string, tenantId = 42) =>
      database.query("INSERT INTO email.suppressions VALUES ($1, $2, 'bounced')", [tenantId, address]),
    rows: async () => {
      const rows = await database.query(
        'SELECT recipient, state, last_code AS code, attempts FROM email.deliveries ORDER BY recipient COLLATE "C"',
      )
      return rows.map(({ recipient, state, code, attempts }) => [recipient, state, code, attempts])
    },
  }
}

/** As a suppression is stored, and as the address is written to. */
const cases = [
  ['bob@example.com', 'bob@ｅxample.com'],
  ['bob@example.com', 'Bob@ＥＸＡＭＰＬＥ．ＣＯＭ'],
  ['bob@example.com', 'bob@exam\u00adple.com'],
  ['bob@example.com', '\u0042ob@example。com'],
  ['kim@example.com', '\u212aim@example.com'],
  ['info@xn--bcher-kva.example', 'INFO@BÜCHER.example'],
  ['info@xn--bcher-kva.example', 'info@bu\u0308cher.example'],
  ['ren\u00e9@example.com', 'rene\u0301@example.com'],
  // As it is kept by an application that knows no normal form, or by another than the one that sends.
  ['info@bücher.example', 'info@xn--bcher-kva.example'],
  ['info@bücher.example', 'info@BÜCHER.example'],
  ['bob@ｅxample.com', 'bob@example.com'],
  ['bob@ｅxample.com', 'bob@ｅｘample.com'],
  ['rene\u0301@example.com', 'Ren\u00e9@example.com'],
  ['ren\u00e9@example.com', 'REN\u00c9@example.com'],
  ['ren\u00c9@example.com', 'REN\u00c9@example.com'],
  ['ren\u00c9@example.com', 'RENE\u0301@example.com'],
]

describe('a suppressed address gets nothing', () => {
  test('however it is stored, and however it is written', async ({ database, cleanUp }) => {
    const { handle, suppress, sentTo, rows } = await setUp({ database, cleanUp })
    for (const [index, [stored = '', written = '']] of cases.entries()) {
      const tenantId = 1_000 + index
      await suppress(stored, tenantId)
      await suppress('grace@example.com', tenantId + 1_000)
      await handle([written, `user-${index}@example.com`], { tenantId })
      expect([written, sentTo().at(-1)]).toEqual([written, `user-${index}@example.com`])
    }
    expect(sentTo()).toHaveLength(cases.length)
    expect((await rows()).filter(([, , code]) => code === 'SUPPRESSED')).toHaveLength(cases.length)
  })

  test('and is told from others', async ({ database, cleanUp }) => {
    const { handle, suppress, sentTo } = await setUp({ database, cleanUp })
    for (const address of ['ren\u00e9@example.com', 'b.ob@example.com', 'bob+1@example.com', 'bob@ｅxample.org']) {
      await suppress(address)
    }
    await suppress('no address', 42)
    await suppress('nobody@ü%41.example', 42)
    await handle(['rene@example.com', 'bob@example.com'])
    expect(sentTo().sort()).toEqual(['bob@example.com', 'rene@example.com'])
  })

  test('the table takes every normal form, and no capital letters of ASCII', async ({ database, cleanUp }) => {
    const { suppress } = await setUp({ database, cleanUp })
    await suppress('ren\u00c9@example.com')
    await expect(suppress('Bob@example.com')).rejects.toThrow('suppressions_address_check')
  })
})

test('the spellings of an address are one recipient, to whom the first of them is sent', async ({
  database,
  cleanUp,
}) => {
  const { handle, sentTo, rows } = await setUp({ database, cleanUp })
  await handle([
    'Bob@ｅxample.com',
    'bob@example.com',
    'BOB@EXAMPLE.COM',
    'rene\u0301@bu\u0308cher.example',
    'ren\u00e9@bücher.example',
  ])
  await handle(['bob@EXAMPLE.com', 'ren\u00e9@xn--bcher-kva.example'])
  expect(sentTo().sort()).toEqual(['Bob@example.com', 'ren\u00e9@bücher.example'])
  expect(await rows()).toEqual([
    ['bob@example.com', 'sent', null, 1],
    ['ren\u00e9@xn--bcher-kva.example', 'sent', null, 1],
  ])
})

test('an address that has no normal form fails by itself, and is no other recipient', async ({ database, cleanUp }) => {
  const { handle, sentTo, rows } = await setUp({ database, cleanUp })
  const tooLong = `${'\u1e9e'.repeat(22)}@example.com`
  await handle([
    tooLong,
    tooLong.toLowerCase(),
    'Ada@127.0.0.1',
    'ada@0x7f.１',
    'ada\u037e@example.com',
    'ada@example.com',
  ])
  expect(sentTo().sort()).toEqual(['ada@example.com', tooLong.toLowerCase()])
  expect(await rows()).toEqual([
    ['Ada@127.0.0.1', 'failed', 'INVALID_ADDRESS', 1],
    ['ada@0x7f.１', 'failed', 'INVALID_ADDRESS', 1],
    ['ada@example.com', 'sent', null, 1],
    ['ada\u037e@example.com', 'failed', 'INVALID_ADDRESS', 1],
    [tooLong.toLowerCase(), 'sent', null, 1],
    [tooLong, 'failed', 'INVALID_ADDRESS', 1],
  ])
})

describe('a row that a worker beside has written under the address in lower case', () => {
  const insert = (database: TestDatabase, recipient: string, state: string) =>
    database.query(
      "INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts) VALUES (42, 'message-1', $1, $2, 1)",
      [recipient, state],
    )

  test('is the recipient’s: nothing is sent twice', async ({ database, cleanUp }) => {
    const { handle, sentTo, rows } = await setUp({ database, cleanUp })
    await insert(database, 'bob@ｅxample.com', 'sent')
    await insert(database, 'éva@example.com', 'sent')
    await insert(database, 'info@bücher.example', 'retry')
    await handle(['Bob@ｅxample.com', 'Éva@example.com', 'Info@BÜCHER.example', 'new@bücher.example'])
    expect(sentTo().sort()).toEqual(['Info@bücher.example', 'new@bücher.example'])
    expect(await rows()).toEqual([
      ['bob@ｅxample.com', 'sent', null, 1],
      ['info@bücher.example', 'sent', null, 2],
      ['new@xn--bcher-kva.example', 'sent', null, 1],
      ['éva@example.com', 'sent', null, 1],
    ])
  })

  test('does not keep it from being suppressed', async ({ database, cleanUp }) => {
    const { handle, suppress, sentTo } = await setUp({ database, cleanUp })
    await insert(database, 'bob@ｅxample.com', 'retry')
    await suppress('bob@example.com')
    await handle(['bob@ｅxample.com'])
    expect(sentTo()).toEqual([])
  })
})
