import { describeDefinitions, describeEnvironment, describeStartUp } from '@mono/test-support'
import { pushWorker } from './worker-under-test.js'

describeEnvironment(pushWorker)
describeStartUp(pushWorker)
describeDefinitions(pushWorker)
