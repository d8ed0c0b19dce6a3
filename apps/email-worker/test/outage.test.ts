import { describeOutage } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describeOutage(emailWorker)
