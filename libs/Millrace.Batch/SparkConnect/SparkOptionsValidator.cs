using Microsoft.Extensions.Options;

namespace Millrace.Batch.SparkConnect;

/// <summary>Checks what attributes cannot say, when statements run on Spark.</summary>
internal sealed class SparkOptionsValidator(IOptions<BatchOptions> batch) : IValidateOptions<SparkOptions>
{
    private const string Section = "Spark";

    public ValidateOptionsResult Validate(string? name, SparkOptions options)
    {
        if (batch.Value.Kind != BatchKind.Spark) return ValidateOptionsResult.Success;
        var failures = Failures(options).ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Failures(SparkOptions options)
    {
        var remote = $"{Section}:{nameof(options.Remote)}";
        if (options.Remote.Length == 0)
        {
            yield return $"{remote} is missing; say where Spark Connect listens, such as sc://spark:15002.";
        }
        else if (!SparkAddress.TryParse(options.Remote, out var address, out var wrong))
        {
            // The value may hold a token.
            yield return $"{remote} cannot be used: {wrong}.";
        }
        else
        {
            if (!address.UseTls && options.CaFile is not null)
                yield return $"{Section}:{nameof(options.CaFile)} means nothing without use_ssl=true in {remote}.";
            if (address.Token is not null && options.TokenFile is not null)
                yield return $"{Section}:{nameof(options.TokenFile)}: {remote} has a token already.";
        }

        foreach (var (key, path) in new[]
        {
            (nameof(options.TokenFile), options.TokenFile), (nameof(options.CaFile), options.CaFile),
        })
        {
            if (path is not null && !File.Exists(path)) yield return $"{Section}:{key} is '{path}', which is no file.";
        }

        if (options.ArchiveRoot is { } root && !Uri.TryCreate(root, UriKind.Absolute, out _))
        {
            yield return $"{Section}:{nameof(options.ArchiveRoot)} is '{root}'; write an address such as "
                + "s3a://bucket/prefix or file:///folder.";
        }
    }
}
