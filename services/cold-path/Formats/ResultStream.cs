using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.Batch;
using Millrace.Primitives;

namespace Millrace.ColdPath.Formats;

/// <summary>
/// Sends a result as it is made. The answer begins with the first rows, so that what fails before is a proper problem;
/// what fails later cuts the connection, because half an answer must not look whole.
/// </summary>
internal static class ResultStream
{
    /// <summary>
    /// Named on each answer whose rows were cut, where the client takes trailers; JSON says it itself.
    /// </summary>
    private const string TruncatedTrailer = "Millrace-Truncated";

    /// <param name="result">Asked for one row more than <paramref name="rowsMax"/>, to notice that there are
    /// more.</param>
    public static async Task SendAsync(
        HttpContext context, IBatchResult result, ResultFormat format, long rowsMax, ILogger logger)
    {
        var ct = context.RequestAborted;
        await using var batches = result.Batches.GetAsyncEnumerator(ct);
        var more = await batches.MoveNextAsync().ConfigureAwait(false);
        var response = context.Response;
        response.ContentType = format.ContentType;
        if (response.SupportsTrailers()) response.DeclareTrailer(TruncatedTrailer);
        try
        {
            format.Begin(result.Schema);
            var left = rowsMax;
            var truncated = false;
            for (; more && !truncated; more = await batches.MoveNextAsync().ConfigureAwait(false))
            {
                using var batch = batches.Current;
                var rows = (int)Math.Min(left, batch.Length);
                format.Write(batch, rows);
                left -= rows;
                truncated = rows < batch.Length;
                await response.BodyWriter.FlushAsync(ct).ConfigureAwait(false);
            }

            format.End(truncated);
            await response.BodyWriter.FlushAsync(ct).ConfigureAwait(false);
            if (response.SupportsTrailers()) response.AppendTrailer(TruncatedTrailer, truncated ? "true" : "false");
        }
        catch (Exception e) when (e is MillraceException or OperationCanceledException)
        {
            if (e is MillraceException failure) logger.ResultCut(failure.Error.Code, failure.Message);
            context.Abort();
        }
    }
}
