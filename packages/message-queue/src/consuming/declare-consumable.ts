import { migratingQueueName } from '@mono/rascal-config'
import { MigrationPendingError } from '../errors/migration-pending-error.js'
import { migrationCommands } from '../migrating/migration-commands.js'
import { type DeclareTopologyOptions, declareTopology } from './rascal/declare-topology.js'
import type { DeclaringBroker } from './receiving/subscription.js'

/**
 * Declares what the worker of this queue uses. The queue that stands in during a migration is there before the queue is
 * made anew and until all that it holds is handled, so it is looked for last.
 *
 * @throws TopologyMismatchError if something exists with other arguments
 * @throws MigrationPendingError if messages of the queue are still in the one that stands in
 * @throws Error if the broker is away or refuses
 */
export async function declareConsumable(
  options: Omit<DeclareTopologyOptions, 'signal'>,
  { signal, hasQueue }: DeclaringBroker,
): Promise<void> {
  const { queue } = options
  await declareTopology({ ...options, signal })
  const migration = migrationCommands[queue]
  if (migration === undefined) return
  const standIn = migratingQueueName(queue)
  if (await hasQueue(standIn)) throw new MigrationPendingError({ queue, standIn, command: migration.command })
}
