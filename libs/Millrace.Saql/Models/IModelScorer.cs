namespace Millrace.Saql.Models;

/// <summary>One version of a model, ready to score. For one caller at a time.</summary>
public interface IModelScorer
{
    int Version { get; }

    /// <summary>
    /// The score of one row. Gives the same for the same features, always. Whatever it throws fails the row.
    /// </summary>
    /// <param name="features">In the order of the model's features.</param>
    double Score(ReadOnlySpan<float> features);
}
