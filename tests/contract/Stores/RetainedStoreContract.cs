using System.Text;
using System.Text.Json;
using CsCheck;
using Millrace.Stores.Retained;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

[Category("Samples")]
public abstract class RetainedStoreContract : StoreContract<IRetainedStore>
{
    private static readonly RetainedLimits Roomy = new(1000, 1 << 20);

    [Test]
    public async Task A_topic_has_its_last_message_after_a_restart_until_an_empty_one_clears_it()
    {
        var last = new RetainedMessage("s", "a/ü\u001f", 2, [1, 2], [3], Noon, Noon.AddMinutes(1));
        await Store.SetAsync([last with { Payload = [9] }, last, last with { Space = "other", Payload = [5] }], Roomy);
        Reopen();

        Assert.That(Text(await Store.FindAsync("s", last.Topic, Noon)), Is.EqualTo(Text(last)));
        Assert.That((await Store.FindAsync("other", last.Topic, Noon))!.Payload, Is.EqualTo(new byte[] { 5 }));
        Assert.That(await Store.CountAsync(), Is.EqualTo(2));
        Assert.That(await Store.SetAsync([last with { Payload = [] }], Roomy), Is.EqualTo(
            new[] { RetainOutcome.Cleared }));
        Assert.That(await Store.FindAsync("s", last.Topic, Noon), Is.Null);
        Assert.That(await Store.CountAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_message_that_has_expired_is_not_found_and_then_removed()
    {
        await Store.SetAsync([Message("a", 1) with { ExpiresAt = Noon.AddSeconds(5) }, Message("b", 1)], Roomy);
        var (before, after) = (Noon.AddSeconds(4), Noon.AddSeconds(5));
        Assert.That(await Store.FindAsync("s", "a", before), Is.Not.Null);
        Assert.That(await Store.ExpireAsync(before), Is.Zero);
        Assert.That(await Store.FindAsync("s", "a", after), Is.Null);
        Assert.That(await TopicsAsync("", after, 10), Is.EqualTo(new[] { "b" }));
        Assert.That((await Store.ListTopicsAsync("s", "", after, 10, null)).Items, Is.EqualTo(new[] { "b" }));

        Assert.That(await Store.ExpireAsync(after), Is.EqualTo(1));
        Assert.That(await Store.CountAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task More_than_a_chunk_expires_at_once()
    {
        var many = Enumerable.Range(0, 2_500).Select(i => Message($"t/{i}", 1) with { ExpiresAt = Noon });
        await Store.SetAsync([.. many], new RetainedLimits(2_500, 1 << 20));
        Assert.That(await Store.ExpireAsync(Noon), Is.EqualTo(2_500));
        Assert.That(await Store.CountAsync(), Is.Zero);
    }

    [Test]
    public async Task Topics_are_listed_by_their_prefix_in_the_order_of_their_bytes_whatever_the_page()
    {
        var topic = Gen.Char["ab/\u001f\uffff\u00fc"].Array[1, 4].Select(c => new string(c));
        var withLast = Gen.Select(topic, Gen.Bool).Select(t => t.Item2 ? t.Item1 + "\U0010ffff" : t.Item1);
        await Gen.Select(withLast.List[0, 25], topic, Gen.Int[1, 9]).SampleAsync(async (topics, prefix, limit) =>
        {
            foreach (var old in await AllAsync(50, token => Store.ListAsync("s", "", Noon, 50, token)))
                await Store.SetAsync([old with { Payload = [] }], Roomy);
            await Store.SetAsync([.. topics.Select(t => Message(t, 1))], Roomy);
            foreach (var start in new[] { "", prefix, prefix[..1] })
            {
                var expected = topics.Distinct().Where(t => t.StartsWith(start, StringComparison.Ordinal))
                    .OrderBy(t => Convert.ToHexString(Encoding.UTF8.GetBytes(t)), StringComparer.Ordinal);
                Assert.That(await TopicsAsync(start, Noon, limit), Is.EqualTo(expected));
                Assert.That(await AllAsync(limit, token => Store.ListTopicsAsync("s", start, Noon, limit, token)),
                    Is.EqualTo(expected));
            }
        }, iter: Samples.Of(30), threads: 1);
        Assert.That(CodeOf(async () => await Store.ListAsync("s", "", Noon, 5, "nonsense")), Is.EqualTo("ST-0002"));
    }

    [Test]
    public async Task A_space_keeps_no_more_than_its_limits_and_says_what_it_refused()
    {
        var round = 0;
        var step = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 9], Gen.Bool);
        await Gen.Select(step.List[1, 30], Gen.Int[0, 4], Gen.Int[0, 30]).SampleAsync(async (steps, most, bytesMost) =>
        {
            var space = $"space-{++round}";
            var model = new Dictionary<string, byte[]>();
            foreach (var (topic, size, expires) in steps)
            {
                var message = Message($"t{topic}", size) with { Space = space, ExpiresAt = expires ? Noon : null };
                var expected = Take(model, message, most, bytesMost);
                Assert.That(await Store.SetAsync([message], new RetainedLimits(most, bytesMost)),
                    Is.EqualTo(new[] { expected }));
            }

            var kept = await AllAsync(50, t => Store.ListAsync(space, "", Noon.AddSeconds(-1), 50, t));
            Assert.That(kept.ToDictionary(m => m.Topic, m => m.Payload), Is.EqualTo(model));
        }, iter: Samples.Of(30), threads: 1);
    }

    private static RetainOutcome Take(
        Dictionary<string, byte[]> model, RetainedMessage message, int most, int bytesMost)
    {
        if (message.Payload.Length == 0)
        {
            model.Remove(message.Topic);
            return RetainOutcome.Cleared;
        }

        var then = new Dictionary<string, byte[]>(model) { [message.Topic] = message.Payload };
        if (then.Count > most || then.Sum(m => m.Key.Length + m.Value.Length) > bytesMost) return RetainOutcome.Full;
        model[message.Topic] = message.Payload;
        return RetainOutcome.Retained;
    }

    private async Task<IEnumerable<string>> TopicsAsync(string prefix, DateTimeOffset now, int limit) =>
        (await AllAsync(limit, token => Store.ListAsync("s", prefix, now, limit, token))).Select(m => m.Topic);

    private static RetainedMessage Message(string topic, int size) =>
        new("s", topic, 1, [], [.. Enumerable.Range(0, size).Select(i => (byte)i)], Noon, null);

    private static string Text(object? value) => JsonSerializer.Serialize(value);
}
