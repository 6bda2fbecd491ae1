using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting.Health;
using Millrace.Primitives;

namespace Millrace.Contract.Tests.ObjectStore;

/// <summary>What a store has to prove before anything rests on it.</summary>
public sealed class S3OpeningTests
{
    private const string Taken = "<Error><Code>PreconditionFailed</Code><Message>It is taken.</Message></Error>";

    /// <summary>Without a store all are skipped, also those that look at what opening one throws.</summary>
    [OneTimeSetUp]
    public Task FindAsync() => S3Node.ServersAsync();

    [TestCase(false, true, "PutObject")]
    [TestCase(true, false, "CompleteMultipartUpload")]
    public async Task A_store_that_replaces_what_it_was_told_not_to_is_refused(bool puts, bool uploads, string named)
    {
        await using var store = await LoopbackHttp.StartAsync(context => AnswerAsync(context, puts, uploads));

        Assert.That(async () => await OpenAsync(store.Address),
            Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0004").And.Message.Contains(named));
    }

    [Test]
    public async Task A_store_that_keeps_to_conditions_is_taken()
    {
        await using var store = await LoopbackHttp.StartAsync(context => AnswerAsync(context, true, true));

        await OpenAsync(store.Address);
    }

    [Test]
    public void A_bucket_that_is_not_there_is_refused() => Assert.That(
        async () => await S3Node.OpenAsync(("CreateBucket", "false")),
        Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0005").And.Message.Contains("NoSuchBucket"));

    [Test]
    public void Credentials_that_are_not_the_stores_are_refused() => Assert.That(
        async () => await S3Node.OpenAsync(("Credentials:SecretKey", "wrong")),
        Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0005"));

    [Test]
    public async Task A_store_that_does_not_answer_is_waited_for()
    {
        var isUp = false;
        await using var store = await LoopbackHttp.StartAsync(context =>
        {
            if (Volatile.Read(ref isUp)) return AnswerAsync(context, true, true);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        });

        var opening = OpenAsync(store.Address);
        Assert.That(opening.IsCompleted, Is.False);
        Volatile.Write(ref isUp, true);
        await opening.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static async Task OpenAsync(string endpoint)
    {
        await using var services = await S3Node.MakeAsync(("Endpoint", endpoint), ("RetriesMax", "0"));
        await services.GetRequiredService<IAwaitedServer>().AnswersAsync(CancellationToken.None);
    }

    /// <summary>As much of S3 as the opening asks for, by a store that looks at conditions or does not.</summary>
    private static Task AnswerAsync(HttpContext context, bool puts, bool uploads)
    {
        var request = context.Request;
        var isTaken = request.Headers.IfNoneMatch.Count > 0 && context.Request.Path.Value!.Contains(".conditions")
            && !Seen.TryAdd(request.Path + request.Host, true);
        switch (request.Method)
        {
            case "PUT":
                context.Response.Headers.ETag = "\"1\"";
                if (isTaken && puts) return RefuseAsync(context);
                return Task.CompletedTask;
            case "POST" when request.Query.ContainsKey("uploads"):
                return context.Response.WriteAsync("<InitiateMultipartUploadResult><UploadId>u</UploadId>"
                    + "</InitiateMultipartUploadResult>");
            case "POST":
                if (isTaken && uploads) return RefuseAsync(context);
                return context.Response.WriteAsync("<CompleteMultipartUploadResult><ETag>\"1\"</ETag>"
                    + "</CompleteMultipartUploadResult>");
            case "GET" when request.Query.ContainsKey("uploads"):
                return context.Response.WriteAsync("<ListMultipartUploadsResult></ListMultipartUploadsResult>");
            case "GET":
                return context.Response.WriteAsync("<ListBucketResult></ListBucketResult>");
            default:
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                return Task.CompletedTask;
        }
    }

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, bool> Seen = new();

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status412PreconditionFailed;
        return context.Response.WriteAsync(Taken);
    }
}
