import type { Problem } from '../problems';
import { Alert, Layout } from './layout';

export const ProblemPage = ({ problem, leadconduit }: { problem: Problem; leadconduit: string | undefined }) => (
  <Layout title="It did not work" leadconduit={leadconduit}>
    <h1>It did not work</h1>
    <Alert>{problem.message}</Alert>
    <p>
      <a href="/">All onboards</a>
    </p>
  </Layout>
);
