using Microsoft.Extensions.Options;
using Millrace.Saql.Extensions;
using Millrace.StreamProcessor.WarmWriter;

namespace Millrace.StreamProcessor;

/// <summary>Checks what attributes cannot say.</summary>
internal sealed class StreamProcessorOptionsValidator(QueryExtensions extensions)
    : IValidateOptions<StreamProcessorOptions>
{
    public ValidateOptionsResult Validate(string? name, StreamProcessorOptions options)
    {
        if (options.Position is null) return ValidateOptionsResult.Success;
        PositionReader.TryMake(options.Position, extensions, out var wrong);
        return wrong is null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"StreamProcessor:Position is '{options.Position}'. {wrong}");
    }
}
