import type { OwnMetric, Sample } from '@mono/worker-runtime'
import type { RunningChannel, RunningChannels } from './sending/running-channel.js'

/** The metrics that are read from the channels themselves. */
export function createChannelMetrics(channels: RunningChannels): OwnMetric[] {
  const entries = Object.entries(channels)
  const byChannel = (read: (running: RunningChannel) => number) => (): Sample[] =>
    entries.map(([channel, running]) => ({ labels: { channel }, value: read(running) }))
  return [
    {
      kind: 'gauge',
      name: 'mono_push_origins_closed',
      help: 'Push services that had to be left alone and have not answered since',
      labelNames: ['channel'],
      read: byChannel(({ gate }) => gate.closed),
    },
    {
      kind: 'gauge',
      name: 'mono_push_in_flight',
      help: 'Requests that are sent to push services and not answered yet',
      labelNames: ['channel'],
      read: byChannel(({ client }) => client.inFlight),
    },
    {
      kind: 'gauge',
      name: 'mono_push_disabling_stopped',
      help: '1 while so many devices are called dead that none is disabled',
      labelNames: ['channel'],
      read: byChannel(({ guard }) => Number(guard.doubts)),
    },
    {
      kind: 'counter',
      name: 'mono_push_token_refreshes_total',
      help: 'Tokens of ours that were made or fetched',
      labelNames: ['channel'],
      read: byChannel(({ tokenRefreshes }) => tokenRefreshes()),
    },
  ]
}
