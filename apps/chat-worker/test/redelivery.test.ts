import { describeRedelivery } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describeRedelivery(chatWorker)
