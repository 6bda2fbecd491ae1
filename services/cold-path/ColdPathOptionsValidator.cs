using Microsoft.Extensions.Options;

namespace Millrace.ColdPath;

/// <summary>What data annotations cannot say: each error names its key and the remedy.</summary>
internal sealed class ColdPathOptionsValidator : IValidateOptions<ColdPathOptions>
{
    /// <summary>A file is one array of bytes until it is put.</summary>
    private const long FileBytesMax = 1L << 30;

    public ValidateOptionsResult Validate(string? name, ColdPathOptions options) =>
        options.ScoredFileSize.Bytes is > 0 and <= FileBytesMax
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"ColdPath:{nameof(options.ScoredFileSize)} is {options.ScoredFileSize}; "
                + "choose up to 1GiB, and more than nothing.");
}
