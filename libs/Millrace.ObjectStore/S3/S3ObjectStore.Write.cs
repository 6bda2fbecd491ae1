using System.Net;
using System.Runtime.InteropServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace Millrace.ObjectStore.S3;

internal sealed partial class S3ObjectStore
{
    private const string AnyKey = "*";

    /// <summary>Our own name for a write, kept with the object: it tells ours from another's when an answer was
    /// lost.</summary>
    private const string WriteName = "millrace-write";

    /// <summary>A store that refuses a put may close the connection under a body that is larger.</summary>
    private const int SureToBeTaken = 64 << 10;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        ObjectKey.Check(key);
        await WriteAsync(key, content, ifAbsent: false, ct).ConfigureAwait(false);
    }

    public async ValueTask<bool> PutIfAbsentAsync(
        string key, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        ObjectKey.Check(key);
        var isFree = content.Length <= SureToBeTaken || await FindAsync(key, ct).ConfigureAwait(false) is null;
        if (isFree && await WriteAsync(key, content, ifAbsent: true, ct).ConfigureAwait(false)) return true;
        bucket.Metrics.Taken();
        return false;
    }

    public async ValueTask PutAsync(string key, Stream content, CancellationToken ct = default)
    {
        ObjectKey.Check(key);
        try
        {
            var first = new byte[PartBytes];
            var read = await content.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, ct)
                .ConfigureAwait(false);
            if (read < first.Length)
            {
                await WriteAsync(key, first.AsMemory(0, read), ifAbsent: false, ct).ConfigureAwait(false);
                return;
            }

            await UploadAsync(key, PartsOf(first, content, ct), ifAbsent: false, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, ct))
        {
            throw bucket.WriteFailed(key, e);
        }
    }

    private int PartBytes => (int)bucket.Options.PartSize.Bytes;

    /// <summary>False when the key was taken and had to be free.</summary>
    private async ValueTask<bool> WriteAsync(
        string key, ReadOnlyMemory<byte> content, bool ifAbsent, CancellationToken ct)
    {
        try
        {
            return content.Length <= PartBytes
                ? await PutWholeAsync(key, content, ifAbsent, ct).ConfigureAwait(false)
                : await UploadAsync(key, PartsOf(content), ifAbsent, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, ct))
        {
            throw bucket.WriteFailed(key, e);
        }
    }

    private async ValueTask<bool> PutWholeAsync(
        string key, ReadOnlyMemory<byte> content, bool ifAbsent, CancellationToken ct)
    {
        var name = NewName();
        var request = new PutObjectRequest
        {
            BucketName = bucket.Name,
            Key = bucket.NameOf(key),
            InputStream = StreamOf(content),
            AutoCloseStream = false,
            UseChunkEncoding = false,
            IfNoneMatch = ifAbsent ? AnyKey : null,
        };
        request.Metadata.Add(WriteName, name);
        return await DecideAsync(key, name, ifAbsent, () => bucket.Client.PutObjectAsync(request, ct), ct)
            .ConfigureAwait(false) && Count(content.Length);
    }

    /// <summary>Sends the parts and then has the store make them one object, in one step.</summary>
    private async ValueTask<bool> UploadAsync(
        string key, IAsyncEnumerable<ReadOnlyMemory<byte>> parts, bool ifAbsent, CancellationToken ct)
    {
        var name = NewName();
        var begin = new InitiateMultipartUploadRequest { BucketName = bucket.Name, Key = bucket.NameOf(key) };
        begin.Metadata.Add(WriteName, name);
        var upload = await bucket.Client.InitiateMultipartUploadAsync(begin, ct).ConfigureAwait(false);
        var isDone = false;
        try
        {
            var (tags, bytes) = await SendPartsAsync(key, upload.UploadId, parts, ct).ConfigureAwait(false);
            var complete = new CompleteMultipartUploadRequest
            {
                BucketName = bucket.Name,
                Key = bucket.NameOf(key),
                UploadId = upload.UploadId,
                PartETags = tags,
                IfNoneMatch = ifAbsent ? AnyKey : null,
            };
            isDone = await DecideAsync(key, name, ifAbsent,
                () => bucket.Client.CompleteMultipartUploadAsync(complete, ct), ct).ConfigureAwait(false);
            return isDone && Count(bytes);
        }
        finally
        {
            if (!isDone) await AbortAsync(key, upload.UploadId).ConfigureAwait(false);
        }
    }

    private async Task<(List<PartETag> Tags, long Bytes)> SendPartsAsync(
        string key, string uploadId, IAsyncEnumerable<ReadOnlyMemory<byte>> parts, CancellationToken ct)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sending = new List<Task<PartETag>>();
        var bytes = 0L;
        try
        {
            await foreach (var part in parts.ConfigureAwait(false))
            {
                if (sending.Count >= bucket.Options.PartsInFlightMax)
                    await sending[^bucket.Options.PartsInFlightMax].ConfigureAwait(false);
                bytes += part.Length;
                sending.Add(SendPartAsync(key, uploadId, sending.Count + 1, part, failed.Token));
            }

            return ([.. await Task.WhenAll(sending).ConfigureAwait(false)], bytes);
        }
        finally
        {
            // Nothing may still use the buffers when the caller has them back.
            await failed.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(sending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<PartETag> SendPartAsync(
        string key, string uploadId, int number, ReadOnlyMemory<byte> part, CancellationToken ct)
    {
        var answer = await bucket.Client.UploadPartAsync(new UploadPartRequest
        {
            BucketName = bucket.Name,
            Key = bucket.NameOf(key),
            UploadId = uploadId,
            PartNumber = number,
            PartSize = part.Length,
            InputStream = StreamOf(part),
            UseChunkEncoding = false,
        }, ct).ConfigureAwait(false);
        return new PartETag(number, answer.ETag);
    }

    /// <summary>
    /// Does the step that makes the object visible. The client may have sent it twice, or the answer may be lost; then
    /// the name that the object carries tells whose it is.
    /// </summary>
    private async ValueTask<bool> DecideAsync(
        string key, string name, bool ifAbsent, Func<Task> step, CancellationToken ct)
    {
        try
        {
            await step().ConfigureAwait(false);
            return true;
        }
        catch (AmazonS3Exception e) when (ifAbsent && e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return await NameAtAsync(key, ct).ConfigureAwait(false) == name;
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, ct))
        {
            var found = await TryNameAtAsync(key, ct).ConfigureAwait(false);
            if (found == name) return true;
            if (ifAbsent && found is not null) return false;
            throw;
        }
    }

    /// <summary>The name of the write that made the object; empty when another program did; null without one.</summary>
    private async ValueTask<string?> NameAtAsync(string key, CancellationToken ct) =>
        await HeadAsync(key, ct).ConfigureAwait(false) is { } head ? head.Metadata[WriteName] ?? "" : null;

    private async ValueTask<string?> TryNameAtAsync(string key, CancellationToken ct)
    {
        try
        {
            return await NameAtAsync(key, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, ct))
        {
            return null;
        }
    }

    /// <summary>Parts that stay are removed at a later start; the failure that led here is the one to tell.</summary>
    private async ValueTask AbortAsync(string key, string uploadId)
    {
        using var limit = new CancellationTokenSource(bucket.Options.RequestTimeout, bucket.Time);
        try
        {
            await bucket.Client.AbortMultipartUploadAsync(
                bucket.Name, bucket.NameOf(key), uploadId, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsFailure(e, CancellationToken.None))
        {
            bucket.Metrics.Failed();
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> PartsOf(ReadOnlyMemory<byte> content)
    {
        for (var at = 0; at < content.Length; at += PartBytes)
            yield return content.Slice(at, Math.Min(PartBytes, content.Length - at));
        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> PartsOf(
        byte[] first, Stream rest, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        yield return first;
        while (true)
        {
            // One that is on its way keeps its buffer.
            var next = new byte[PartBytes];
            var read = await rest.ReadAtLeastAsync(next, next.Length, throwOnEndOfStream: false, ct)
                .ConfigureAwait(false);
            if (read > 0) yield return next.AsMemory(0, read);
            if (read < next.Length) yield break;
        }
    }

    private bool Count(long bytes)
    {
        bucket.Metrics.Written(bytes);
        return true;
    }

    private static string NewName() => Guid.NewGuid().ToString("N");

    private static MemoryStream StreamOf(ReadOnlyMemory<byte> content) =>
        MemoryMarshal.TryGetArray(content, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(content.ToArray(), writable: false);
}
