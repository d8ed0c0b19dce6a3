import { describeOutage } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describeOutage(chatWorker)
