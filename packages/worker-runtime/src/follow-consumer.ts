import type { Consumer } from '@mono/message-queue'
import { isRegistered } from './is-registered.js'
import type { WorkerStateHolder } from './worker-state.js'

export interface FollowConsumerOptions {
  consumer: Pick<Consumer, 'state' | 'onState'>
  workerState: WorkerStateHolder
  /** Called now and at every change of the consumer's state, when the worker's has followed. */
  onChange(): void
}

/** Makes a waiting worker `running` as soon as its consumer is registered. A later outage does not change it back. */
export function followConsumer({ consumer, workerState, onChange }: FollowConsumerOptions): void {
  const follow = () => {
    if (workerState.current === 'waiting' && isRegistered(consumer.state)) workerState.change('running')
    onChange()
  }
  consumer.onState(follow)
  follow()
}
