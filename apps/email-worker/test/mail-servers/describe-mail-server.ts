import { test } from '@mono/test-support'
import {
  findMailServerHost,
  type MailServer,
  type MailServerName,
  startMailServer,
} from '@mono/test-support/mail-servers'
import { afterAll, beforeAll, describe } from 'vitest'
import { answerCases } from './answer-cases.js'
import { contentCases } from './content-cases.js'
import { paceCases } from './pace-cases.js'
import { createProviderContext, type ProviderCase } from './provider-case.js'
import { testCertificates } from './test-certificates.js'
import { testWholeWorker } from './test-whole-worker.js'

const providerCases: readonly ProviderCase[] = [...contentCases, ...answerCases, ...paceCases]

/** Everything that is promised of mail servers, against Debian's own. Where it cannot be run, one test is skipped and says why. */
export async function describeMailServer(name: MailServerName): Promise<void> {
  const found = await findMailServerHost(name)
  if ('obstacle' in found) {
    test.skip(`${name} takes our mails (cannot be run here: ${found.obstacle})`, () => undefined)
    return
  }
  describe(name, () => {
    let server: MailServer
    beforeAll(async () => {
      server = await startMailServer(name)
    }, 120_000)
    afterAll(() => server?.close())

    for (const each of providerCases.filter(({ only = name }) => only === name)) {
      test(each.title, { timeout: 120_000 }, async ({ cleanUp }) => {
        await server.configure(each.options ?? {})
        await server.clearMails()
        const context = createProviderContext(server, each)
        cleanUp(() => context.provider.close())
        await each.run(context)
      })
    }
    describe('the whole worker', () => {
      testWholeWorker(() => server)
      testCertificates(() => server)
    })
  })
}
