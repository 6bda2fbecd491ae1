using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Logging;
using Millrace.Hosting.Health;

namespace Millrace.ObjectStore.S3;

/// <summary>
/// Waits until the store answers, and then proves that it can do what the table's log rests on. A store that takes a
/// put for a key that is taken, though told not to, would lose commits without a word, so it is refused.
/// </summary>
internal sealed class S3Opening(S3Bucket bucket, TimeProvider time, ILogger<S3Opening> log) : IAwaitedServer
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SaidOnceIn = TimeSpan.FromSeconds(30);

    public string Name => "object-store";

    /// <summary>OB-0004 for a store without conditional puts, OB-0005 when the bucket may not be used.</summary>
    public async Task AnswersAsync(CancellationToken ct)
    {
        var (startedAt, saidAt) = (time.GetTimestamp(), 0L);
        while (true)
        {
            try
            {
                await OpenAsync(ct).ConfigureAwait(false);
                log.StoreAnswers(bucket.Name);
                return;
            }
            catch (AmazonS3Exception e) when (IsRefusal(e))
            {
                throw ObjectStoreErrors.BucketUnusable.With(bucket.Name, S3Bucket.Said(e)).AsException(e);
            }
            catch (Exception e) when (S3Bucket.IsFailure(e, ct))
            {
                if (saidAt == 0 || time.GetElapsedTime(saidAt) >= SaidOnceIn)
                {
                    saidAt = time.GetTimestamp();
                    log.WaitingForStore(
                        bucket.Name, S3Bucket.Said(e), (int)time.GetElapsedTime(startedAt).TotalSeconds);
                }
            }

            await Task.Delay(TryAgainAfter, time, ct).ConfigureAwait(false);
        }
    }

    /// <summary>What the store will say again, however often it is asked.</summary>
    private static bool IsRefusal(AmazonS3Exception e) =>
        e.StatusCode is HttpStatusCode.NotImplemented
            or (>= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
                and not HttpStatusCode.TooManyRequests and not HttpStatusCode.RequestTimeout)
        && e.ErrorCode is not ("RequestTimeout" or "OperationAborted");

    private async Task OpenAsync(CancellationToken ct)
    {
        await EnsureBucketAsync(ct).ConfigureAwait(false);
        await ProveConditionsAsync(ct).ConfigureAwait(false);
        await RemoveLeftoversAsync(ct).ConfigureAwait(false);
    }

    private async Task EnsureBucketAsync(CancellationToken ct)
    {
        try
        {
            await bucket.Client.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = bucket.Name, Prefix = bucket.NameOf(""), MaxKeys = 1 }, ct)
                .ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (bucket.Options.CreateBucket && e.ErrorCode == "NoSuchBucket")
        {
            await MakeBucketAsync(ct).ConfigureAwait(false);
        }
    }

    private async Task MakeBucketAsync(CancellationToken ct)
    {
        try
        {
            await bucket.Client.PutBucketAsync(new PutBucketRequest { BucketName = bucket.Name }, ct)
                .ConfigureAwait(false);
            log.BucketMade(bucket.Name);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode is "BucketAlreadyOwnedByYou" or "BucketAlreadyExists")
        {
            // Another process was faster.
        }
    }

    /// <summary>Both ways of a put, whole and in parts, have to refuse a key that is taken.</summary>
    private async Task ProveConditionsAsync(CancellationToken ct)
    {
        // No key of ours begins with a dot, so that nobody finds it.
        var name = bucket.NameOf($".conditions-{Guid.NewGuid():N}");
        try
        {
            await KnownAsync("PutObject", () => PutAsync(name, ct)).ConfigureAwait(false);
            await RefusedAsync("PutObject", () => PutAsync(name, ct)).ConfigureAwait(false);
            await RefusedAsync("CompleteMultipartUpload", () => UploadAsync(name, ct)).ConfigureAwait(false);
        }
        finally
        {
            await RemoveAsync(name, ct).ConfigureAwait(false);
        }
    }

    private async Task RemoveAsync(string name, CancellationToken ct)
    {
        try
        {
            await bucket.Client.DeleteObjectAsync(bucket.Name, name, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsMissing(e))
        {
            // It was not taken at all.
        }
    }

    /// <summary>A store without conditions may say so, whether the key is taken or not.</summary>
    private async Task KnownAsync(string request, Func<Task> put)
    {
        try
        {
            await put().ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (IsRefusal(e)
            && e.StatusCode is HttpStatusCode.NotImplemented or HttpStatusCode.BadRequest)
        {
            throw ObjectStoreErrors.ConditionsMissing
                .With(bucket.Name, $"{request}: {S3Bucket.Said(e)}").AsException(e);
        }
    }

    private async Task RefusedAsync(string request, Func<Task> put)
    {
        try
        {
            await KnownAsync(request, put).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return;
        }

        throw ObjectStoreErrors.ConditionsMissing
            .With(bucket.Name, $"{request} with If-None-Match: * replaced an object that was there.").AsException();
    }

    private Task PutAsync(string name, CancellationToken ct) => bucket.Client.PutObjectAsync(
        new PutObjectRequest
        {
            BucketName = bucket.Name,
            Key = name,
            ContentBody = "-",
            UseChunkEncoding = false,
            IfNoneMatch = "*",
        }, ct);

    private async Task UploadAsync(string name, CancellationToken ct)
    {
        var upload = await bucket.Client.InitiateMultipartUploadAsync(bucket.Name, name, ct).ConfigureAwait(false);
        try
        {
            using var content = new MemoryStream("-"u8.ToArray());
            var part = await bucket.Client.UploadPartAsync(new UploadPartRequest
            {
                BucketName = bucket.Name,
                Key = name,
                UploadId = upload.UploadId,
                PartNumber = 1,
                PartSize = content.Length,
                InputStream = content,
                UseChunkEncoding = false,
            }, ct).ConfigureAwait(false);
            await bucket.Client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
            {
                BucketName = bucket.Name,
                Key = name,
                UploadId = upload.UploadId,
                PartETags = [new PartETag(1, part.ETag)],
                IfNoneMatch = "*",
            }, ct).ConfigureAwait(false);
        }
        catch
        {
            await AbortAsync(name, upload.UploadId, ct).ConfigureAwait(false);
            throw;
        }
    }

    private async Task RemoveLeftoversAsync(CancellationToken ct)
    {
        var oldest = (time.GetUtcNow() - bucket.Options.UnfinishedUploadAge).UtcDateTime;
        var request = new ListMultipartUploadsRequest { BucketName = bucket.Name, Prefix = bucket.NameOf("") };
        while (true)
        {
            var page = await bucket.Client.ListMultipartUploadsAsync(request, ct).ConfigureAwait(false);
            foreach (var upload in page.MultipartUploads ?? [])
            {
                if (upload.Initiated?.ToUniversalTime() < oldest)
                    await AbortAsync(upload.Key, upload.UploadId, ct).ConfigureAwait(false);
            }

            if (page.IsTruncated != true) return;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    private async Task AbortAsync(string name, string uploadId, CancellationToken ct)
    {
        try
        {
            await bucket.Client.AbortMultipartUploadAsync(bucket.Name, name, uploadId, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Bucket.IsMissing(e))
        {
            // It is gone already.
        }
    }
}
