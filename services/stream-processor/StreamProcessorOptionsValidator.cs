using Microsoft.Extensions.Options;
using Millrace.Primitives;
using Millrace.Saql.Extensions;
using Millrace.StreamProcessor.WarmWriter;

namespace Millrace.StreamProcessor;

/// <summary>Checks what attributes cannot say.</summary>
internal sealed class StreamProcessorOptionsValidator(QueryExtensions extensions)
    : IValidateOptions<StreamProcessorOptions>
{
    private static readonly ByteSize RowsMax = ByteSize.FromGiB(1);

    public ValidateOptionsResult Validate(string? name, StreamProcessorOptions options)
    {
        var wrong = new List<string>();
        if (options.ReadRowsBytesMax.Bytes > RowsMax.Bytes)
            wrong.Add($"StreamProcessor:ReadRowsBytesMax is {options.ReadRowsBytesMax}. Choose up to {RowsMax}.");
        if (options.Position is { } position && PositionReader.TryMake(position, extensions, out var why) is null)
            wrong.Add($"StreamProcessor:Position is '{position}'. {why}");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
