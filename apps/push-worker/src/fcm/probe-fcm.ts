import { AccessTokenError } from '@mono/access-tokens'
import type { Logger } from '@mono/message-queue'
import type { FcmApi } from './fcm-api.js'

export interface ProbeFcmOptions {
  api: FcmApi
  projectId: string
  logger: Logger
}

/** It is checked as a message is, for an address that nobody has, and never delivered. */
const body = Buffer.from(
  JSON.stringify({ validate_only: true, message: { token: 'mono-probe', android: { priority: 'NORMAL', ttl: '0s' } } }),
)

/** With these answers FCM has come as far as the address: token, project and API are right. */
const aboutAddress = new Set(['INVALID_TOKEN', 'GONE', 'WRONG_SENDER'])

/**
 * Asks FCM once whether it takes messages from us, so that a wrong setting is known before the first notification. It
 * tells people only: nothing waits for the answer, and nothing is closed by it.
 */
export async function probeFcm({ api, projectId, logger }: ProbeFcmOptions): Promise<void> {
  try {
    const { result } = await api.ask(body, new AbortController().signal)
    if (result.kind === 'sent' || aboutAddress.has(result.code)) {
      logger.info({ projectId }, 'FCM takes messages for the project')
      return
    }
    // The line about our settings has been written.
    if (result.code === 'FCM_REJECTED') return
    logger.warn({ projectId, code: result.code, reason: result.reason }, 'FCM does not say whether it takes messages')
  } catch (error) {
    // The token endpoint has a line of its own.
    if (error instanceof AccessTokenError) return
    logger.warn({ projectId, err: error }, 'FCM cannot be asked whether it takes messages')
  }
}
