import { MessageQueueError } from '@mono/contracts'
import type { WorkQueueName } from '@mono/rascal-config'
import { migrationCommands } from '../migrating/migration-commands.js'

/**
 * A queue exists with arguments other than those wanted. The broker never changes an existing queue's arguments
 * (RabbitMQ docs: queues, property equivalence), so this needs a person.
 */
export class TopologyMismatchError extends MessageQueueError {
  override readonly name = 'TopologyMismatchError'
  readonly code = 'TOPOLOGY_MISMATCH'
  readonly queue: string
  readonly argument: string
  readonly found: string
  readonly wanted: string

  constructor(mismatch: { queue: string; argument: string; found: string; wanted: string }, options?: ErrorOptions) {
    const { queue, argument, found, wanted } = mismatch
    super(
      `${queue} exists with other arguments: expected ${argument} to be ${wanted}, found ${found}. ` +
        adviceFor(queue, argument),
      options,
    )
    this.queue = queue
    this.argument = argument
    this.found = found
    this.wanted = wanted
  }
}

function adviceFor(queue: string, argument: string): string {
  const migration = migrationCommands[queue as WorkQueueName]
  if (migration?.argument === argument) return `Run \`${migration.command}\`.`
  return 'Empty and delete it so that it is declared anew, or change the topology to what is there.'
}

const preconditionFailed = 406
/** `inequivalent arg 'x-max-length' for queue 'q' in vhost 'v': received the value '1' of type 'long' but current is none` */
const inequivalent =
  /inequivalent arg '([^']+)' for (?:queue|exchange) '([^']+)' in vhost '[^']*': received (.+?) but current is (.+?)"?$/

/** The broker reports the first difference only. */
export function toTopologyMismatchError(error: unknown): TopologyMismatchError | undefined {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== preconditionFailed) return undefined
  const [, argument, queue, wanted, found] = inequivalent.exec(error.message) ?? []
  if (!argument || !queue || !wanted || !found) return undefined
  return new TopologyMismatchError(
    { queue, argument, wanted: toValue(wanted), found: toValue(found) },
    { cause: error },
  )
}

function toValue(text: string): string {
  return /'([^']*)'/.exec(text)?.[1] ?? text
}
