using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Primitives;
using Millrace.Stores;

namespace Millrace.Api.Tests;

public class ErrorResponsesTests
{
    [Test]
    public async Task A_damaged_row_is_a_fault_of_the_platform_that_trying_again_does_not_mend()
    {
        var (status, problem) = await ToldAsync(
            StoreErrors.RowDamaged.With("tokens: id = 't'", "Bytes.").AsException());

        Assert.That(status, Is.EqualTo(StatusCodes.Status500InternalServerError));
        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo("ST-0012"));
        Assert.That(problem.GetProperty("value").GetString(), Is.EqualTo("tokens: id = 't'"));
    }

    [Test]
    public async Task A_store_that_is_away_may_be_asked_again()
    {
        var (status, problem) = await ToldAsync(StoreErrors.Unavailable.With("hub").AsException());

        Assert.That(status, Is.EqualTo(StatusCodes.Status503ServiceUnavailable));
        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo("ST-0001"));
    }

    private static async Task<(int Status, JsonElement Problem)> ToldAsync(MillraceException failure)
    {
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        var body = new MemoryStream();
        context.Response.Body = body;

        var responses = new ErrorResponses(NullLogger<ErrorResponses>.Instance);
        Assert.That(await responses.TryHandleAsync(context, failure, default), Is.True);

        body.Position = 0;
        return (context.Response.StatusCode, JsonDocument.Parse(body).RootElement);
    }
}
