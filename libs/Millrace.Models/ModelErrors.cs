using Millrace.Primitives;

namespace Millrace.Models;

/// <summary>Errors of the model registry, of training and of scoring.</summary>
public static class ModelErrors
{
    public static readonly ErrorDefinition NameInvalid = new("MO-0001",
        "The model's name is not valid.",
        "It becomes part of keys in the object store and of query texts.",
        "Use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter.");

    public static readonly ErrorDefinition Unknown = new("MO-0002",
        "There is no such model or version.",
        "The registry holds what jobs trained and what was registered.",
        "See the models with `millrace model list`, and a model's versions with `millrace model show NAME`.");

    public static readonly ErrorDefinition FeaturesDiffer = new("MO-0003",
        "The version's features are not the model's.",
        "Queries call a model by position, so all its versions have the same features in the same order.",
        "Give the features of the first version, or register it under another name.");

    public static readonly ErrorDefinition PromotionConflict = new("MO-0004",
        "The model was promoted by somebody else at the same moment.",
        "One promotion follows another; this one was not made.",
        "Look with `millrace model show NAME` which version is promoted now, and try again if it should be another.");

    public static readonly ErrorDefinition NothingBefore = new("MO-0005",
        "There is no version to go back to.",
        "The model was promoted once or never.",
        "Promote the version that you want with `millrace model promote`.");

    public static readonly ErrorDefinition ContentDamaged = new("MO-0006",
        "The model cannot be loaded.",
        "Its content is missing, is not what was registered, or is of another format.",
        "Promote another version, or register the model again.");

    public static readonly ErrorDefinition ShapeUnfit = new("MO-0007",
        "The ONNX model cannot be called with these features.",
        "A model takes one tensor of floats, a row of all features, and its score is one number.",
        "Export it with one input of shape [N, number of features], and name its output with --score-output.");

    public static readonly ErrorDefinition TrainingImpossible = new("MO-0008",
        "No model can be trained on these rows.",
        "There are too few of them, or a column is not what the training needs.",
        "Mend the job's statement or take a longer time; `millrace cold run JOB` shows its rows.");

    public static readonly ErrorDefinition TooLarge = new("MO-0009",
        "The model is too large.",
        "A model's content is held in memory where queries score with it.",
        "Register a smaller one.");

    public static readonly ErrorDefinition RequestInvalid = new("MO-0010",
        "The request cannot be understood.",
        "A registration names its features and brings the content of an ONNX model.",
        "See docs/machine-learning.md for what the address takes.");

    public static readonly ErrorDefinition TooManyRows = new("MO-0011",
        "The statement has more rows than a model may be trained on.",
        "They are held in memory while it learns, and ColdPath:TrainingRowsMax limits them.",
        "Take a shorter time (`over` of the job) or a sample in its statement, or raise the option.");
}
