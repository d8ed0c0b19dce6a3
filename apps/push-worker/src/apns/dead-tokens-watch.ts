import type { Logger } from '@mono/message-queue'
import type { PushVerdict } from '../sending/push-verdict.js'

/**
 * Keeps devices from being disabled for a fault of ours. A token of the sandbox is a bad one in production, and any token
 * is wrong for another topic, so when many end so it is rather the environment or the topic than the tokens.
 */
export interface DeadTokensWatch {
  /** Counts an answer, and takes `disable` out of its verdict while too many would be disabled. */
  judge(origin: string, verdict: PushVerdict): PushVerdict
}

export interface DeadTokensWatchOptions {
  logger: Logger
  /** Milliseconds since 1970. */
  now?: () => number
}

const windowMs = 60_000

/** More than this part of the answers of a minute, when they are so many at least that it can be no accident. */
const suspectShare = 0.2
const suspectCount = 10

interface Counts {
  answers: number
  dead: number
}

/** The last whole minute and the one that runs, so that a new minute does not begin in innocence. */
interface Evidence {
  minute: number
  last: Counts
  current: Counts
  isSuspect: boolean
}

export function createDeadTokensWatch({ logger, now = Date.now }: DeadTokensWatchOptions): DeadTokensWatch {
  const evidenceByOrigin = new Map<string, Evidence>()

  function evidenceOf(origin: string): Evidence {
    const minute = Math.floor(now() / windowMs)
    const known = evidenceByOrigin.get(origin)
    if (known?.minute === minute) return known
    const evidence: Evidence = {
      minute,
      last: known?.minute === minute - 1 ? known.current : { answers: 0, dead: 0 },
      current: { answers: 0, dead: 0 },
      isSuspect: known?.isSuspect ?? false,
    }
    evidenceByOrigin.set(origin, evidence)
    return evidence
  }

  function suspect(origin: string, evidence: Evidence): void {
    const answers = evidence.last.answers + evidence.current.answers
    const dead = evidence.last.dead + evidence.current.dead
    const isSuspect = dead >= suspectCount && dead > suspectShare * answers
    if (isSuspect && !evidence.isSuspect) {
      logger.error(
        { origin, answers, dead },
        'Too many tokens are dead at once to be so, and no device is disabled; check APNS_TOPIC and push.devices.environment',
      )
    }
    evidence.isSuspect = isSuspect
  }

  return {
    judge(origin, verdict) {
      const { disable, ...others } = verdict
      const evidence = evidenceOf(origin)
      if (disable || verdict.origin.kind === 'accepted') evidence.current.answers += 1
      if (disable) evidence.current.dead += 1
      suspect(origin, evidence)
      return evidence.isSuspect ? others : verdict
    },
  }
}
