import type { Problem } from '../problems';
import { Alert, Layout } from './layout';

export const ProblemPage = ({ problem, leadconduit }: { problem: Problem; leadconduit: string | undefined }) => (
  <Layout title="This request failed" leadconduit={leadconduit}>
    <h1>This request failed</h1>
    <Alert>{problem.message}</Alert>
    <p>
      <a href="/">All onboards</a>
    </p>
  </Layout>
);
