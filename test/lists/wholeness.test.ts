/** A list that says of itself that it is not whole, or not of now, is unreadable; so is one with a record that might be anybody's. */
import { readLook } from '../../src/leadconduit/shared-looks';

const INVITATION = '64b8f0f5e4b0c3a1d5e6f7a8';
/** Two hours after the answer that is of today: clocks differ. */
const NOW = Date.parse('Fri, 27 Nov 2026 10:00:00 GMT');
const RECORD = { id: '5fd4371e940df5a34a3888b2', invitation_id: INVITATION };

describe('what an answer says of itself', () => {
  test.each([
    { link: '</onboards?page=2>; rel="next"' },
    { link: '<https://app.leadconduit.com/onboards?after=5>; title="x"; rel=next, <…>; rel="first"' },
    { link: '</onboards?page=1>; rel="prev"' },
    { 'x-total-count': '2' },
    { 'x-total': '100' },
    { 'x-pagination-total-count': '2' },
    { 'total-count': '2' },
    { 'x-total-pages': '2' },
    { 'x-page': '2' },
    { 'x-per-page': '1' },
    { 'x-next-page': '2' },
    { 'x-next-cursor': 'abc' },
    { 'x-has-more': 'true' },
    { 'content-range': 'items 0-0/2' },
    { 'x-onboards-degraded': 'true' },
    { age: '7' },
    { 'x-cache': 'HIT from proxy' },
    { 'cache-status': 'ExampleCache; hit; ttl=30' },
    { warning: '110 proxy "Response is Stale"' },
    { warning: '299 - "results truncated"' },
    { 'x-cache': 'TCP_HIT from a23-1-2-3.deploy.akamaitechnologies.com' },
    { 'x-cache': 'TCP_MEM_HIT' },
    { 'x-cache': 'TCP_REFRESH_FAIL_HIT' },
    { 'x-cache': 'MISS, HIT' },
    { 'x-cache-hits': '0, 3' },
    { 'x-proxy-cache': 'HIT' },
    { 'x-vercel-cache': 'STALE' },
    { 'cf-cache-status': 'UPDATING' },
    { 'x-varnish': '32770 3' },
    { 'cache-status': 'edge; fwd=uri-miss, origin; hit' },
    { date: 'Fri, 27 Nov 2020 08:00:00 GMT' },
    { 'x-pages': '12' },
    { 'x-last-page': '4' },
    { 'x-limit': '1' },
    { 'pagination-limit': '1' },
    { 'x-offset': '50' },
    { 'x-count': '2' },
    { 'x-result-count': '2' },
    { 'x-ms-continuation': 'abc' },
    { 'x-cursor': 'abc' },
    { 'x-pagination': '{"TotalCount":200,"PageSize":50,"CurrentPage":1}' },
    { 'x-pagination': '{"page":1,"has_next":true}' },
  ])('%j is no whole list', (headers) => {
    const [name = ''] = Object.keys(headers);
    expect(readLook([RECORD], headers, NOW - 1, NOW)).toMatch(`header ${name} `);
  });

  test.each([
    {},
    { link: '</onboards>; rel="self"' },
    { 'x-total-count': '1' },
    { 'x-total-pages': '1' },
    { 'x-per-page': '50' },
    { 'x-next-page': '' },
    { 'x-has-more': 'false' },
    { age: '0' },
    { 'x-cache': 'MISS' },
    { 'x-ratelimit-total': '5000' },
    { 'x-onboards-degraded': 'false' },
    { 'x-envoy-attempt-count': '2' },
    { 'x-retry-count': '2' },
    { 'x-query-count': '12' },
    { 'x-request-total-count': '12' },
    { 'x-per-page': '0' },
    { 'x-limit': '50' },
    { 'x-ratelimit-limit': '1' },
    { 'x-page-count': '1' },
    { 'content-range': 'items 0-0/1' },
    { 'cache-control': 'no-cache' },
    { 'cache-status': 'edge; fwd=stale; detail="hit"' },
    { 'x-cache': 'RefreshHit from cloudfront' },
    { 'x-cache': 'TCP_REFRESH_HIT' },
    { 'x-cache-hits': '0, 0' },
    { 'x-varnish': '32770' },
    { 'x-pagination': '{"TotalCount":1,"PageSize":50,"TotalPages":1,"HasNext":false,"NextPage":null}' },
    { 'x-pagination': '{' },
    { etag: '"abc"', date: 'Fri, 27 Nov 2026 08:00:00 GMT', 'content-length': '200' },
  ])('%j is', (headers) => {
    expect(readLook([RECORD], headers, NOW - 1, NOW)).toMatchObject({ sentAt: NOW - 1 });
  });

  test.each([
    { 'x-envoy-attempt-count': '1' },
    { 'x-retry-count': '1' },
    { 'x-per-page': '0' },
    { 'x-page-count': '1' },
    { 'content-range': 'items */0' },
  ])('an empty list with %j is', (headers) => {
    expect(readLook([], headers, NOW - 1, NOW)).toMatchObject({ sentAt: NOW - 1 });
  });

  test.each([
    ['no invitation', { id: 'x', invitation_id: null }],
    ['no field for it', { id: 'x' }],
  ])('a record of %s is nobody’s and stops nobody', (_, record) => {
    expect(readLook([record, RECORD], {}, 1, 2)).toMatchObject({ sentAt: 1 });
  });

  test.each([
    [{ id: 'abc', invitation_id: 7 }, 'record 2 of the list (id abc) has an unreadable invitation_id'],
    [{ invitation_id: null }, 'record 2 of the list has an unreadable id'],
    [null, 'record 2 of the list has an unreadable all of it'],
  ])('%j might be anybody’s: it is named, with what to do', (record, words) => {
    expect(readLook([RECORD, record], {}, 1, 2)).toMatch(words);
    expect(readLook([RECORD, record], {}, 1, 2)).toMatch('correct or remove it in LeadConduit');
  });
});
