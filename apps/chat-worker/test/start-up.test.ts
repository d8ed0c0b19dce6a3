import { describeDefinitions, describeEnvironment, describeStartUp } from '@mono/test-support'
import { chatWorker } from './worker-under-test.js'

describeEnvironment(chatWorker)
describeStartUp(chatWorker)
describeDefinitions(chatWorker)
