"""Every component that ships, by slot and by the name a config uses.

Strings only: nothing here is imported before it is built. To add a component, write its file and add its line.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ADAPTERS", "BASES", "CATALOG", "FILLED", "INJECTED"]

_TRANSFORMS = {
    "LoadNifti": "vesalia.transforms.load.load_nifti:LoadNifti",
    "MonaiTransform": "vesalia.transforms.monai_transform:MonaiTransform",
    "LoadPng": "vesalia.transforms.load.load_png:LoadPng",
    "LoadJpg": "vesalia.transforms.load.load_jpg:LoadJpg",
    "LoadImageMasksFromNumpy": "vesalia.transforms.load.load_image_masks_from_numpy:LoadImageMasksFromNumpy",
    "SaveAsNifti": "vesalia.transforms.post.save_as_nifti:SaveAsNifti",
    "ConvertToChannelsFirst": "vesalia.transforms.spatial.convert_to_channels_first:ConvertToChannelsFirst",
    "ScaleByResolution": "vesalia.transforms.spatial.scale_by_resolution:ScaleByResolution",
    "RandomAxisFlip": "vesalia.transforms.spatial.random_axis_flip:RandomAxisFlip",
    "RandomSpatialFlip": "vesalia.transforms.spatial.random_spatial_flip:RandomSpatialFlip",
    "RestoreOriginalShape": "vesalia.transforms.spatial.restore_original_shape:RestoreOriginalShape",
    "SymmetricPadderDiv": "vesalia.transforms.spatial.symmetric_padder_div:SymmetricPadderDiv",
    "ConvertToChannelsLast": "vesalia.transforms.spatial.convert_to_channels_last:ConvertToChannelsLast",
    "RandomRotate2D": "vesalia.transforms.spatial.random_rotate_2d:RandomRotate2D",
    "RandomRotate3D": "vesalia.transforms.spatial.random_rotate_3d:RandomRotate3D",
    "RandomZoom": "vesalia.transforms.spatial.random_zoom:RandomZoom",
    "RepeatChannel": "vesalia.transforms.spatial.repeat_channel:RepeatChannel",
    "ScaleByFactor": "vesalia.transforms.spatial.scale_by_factor:ScaleByFactor",
    "ScaleBySpacing": "vesalia.transforms.spatial.scale_by_spacing:ScaleBySpacing",
    "ScaleToShape": "vesalia.transforms.spatial.scale_to_shape:ScaleToShape",
    "ScaleIntensityRange": "vesalia.transforms.intensity.scale_intensity_range:ScaleIntensityRange",
    "NormalizeNonzeroIntensities": (
        "vesalia.transforms.intensity.normalize_nonzero_intensities:NormalizeNonzeroIntensities"
    ),
    "ScaleShiftIntensity": "vesalia.transforms.intensity.scale_shift_intensity:ScaleShiftIntensity",
    "ScaleIntensityOscillation": "vesalia.transforms.intensity.scale_intensity_oscillation:ScaleIntensityOscillation",
    "AddGaussianNoise": "vesalia.transforms.intensity.add_gaussian_noise:AddGaussianNoise",
    "CenterData": "vesalia.transforms.intensity.center_data:CenterData",
    "AdjustContrast": "vesalia.transforms.intensity.adjust_contrast:AdjustContrast",
    "RandomGaussianSmooth": "vesalia.transforms.intensity.random_gaussian_smooth:RandomGaussianSmooth",
    "RandomMRBiasField": "vesalia.transforms.intensity.random_mr_bias_field:RandomMRBiasField",
    "CropByPosNegRatio": "vesalia.transforms.crop.crop_by_pos_neg_ratio:CropByPosNegRatio",
    "FastCropByPosNegRatio": "vesalia.transforms.crop.fast_crop_by_pos_neg_ratio:FastCropByPosNegRatio",
    "FastPosNegRatioCropROI": "vesalia.transforms.crop.fast_pos_neg_ratio_crop_roi:FastPosNegRatioCropROI",
    "CropFixedSizeRandomCenter": "vesalia.transforms.crop.crop_fixed_size_random_center:CropFixedSizeRandomCenter",
    "CropByPosNegRatioLabelOnly": "vesalia.transforms.crop.crop_by_pos_neg_ratio_label_only:CropByPosNegRatioLabelOnly",
    "CropForegroundObject": "vesalia.transforms.crop.crop_foreground_object:CropForegroundObject",
    "CropRandomSizeWithDisplacement": (
        "vesalia.transforms.crop.crop_random_size_with_displacement:CropRandomSizeWithDisplacement"
    ),
    "CropSubVolumeCenter": "vesalia.transforms.crop.crop_sub_volume_center:CropSubVolumeCenter",
    "MergeBatchDims": "vesalia.transforms.crop.merge_batch_dims:MergeBatchDims",
    "SplitBasedOnLabel": "vesalia.transforms.label.split_based_on_label:SplitBasedOnLabel",
    "SplitBasedOnBratsClasses": "vesalia.transforms.label.split_based_on_brats_classes:SplitBasedOnBratsClasses",
    "SplitAcrossChannels": "vesalia.transforms.label.split_across_channels:SplitAcrossChannels",
    "ConvertToMultiChannelBasedOnLabel": (
        "vesalia.transforms.label.convert_to_multi_channel_based_on_label:ConvertToMultiChannelBasedOnLabel"
    ),
    "ConvertToMultiChannelBasedOnBratsClasses": (
        "vesalia.transforms.label.convert_to_multi_channel_based_on_brats_classes:"
        "ConvertToMultiChannelBasedOnBratsClasses"
    ),
    "AddExtremePointsChannel": "vesalia.transforms.points.add_extreme_points_channel:AddExtremePointsChannel",
    "FetchExtremePoints": "vesalia.transforms.points.fetch_extreme_points:FetchExtremePoints",
    "ThresholdValues": "vesalia.transforms.post.threshold_values:ThresholdValues",
    "ArgmaxAcrossChannels": "vesalia.transforms.post.argmax_across_channels:ArgmaxAcrossChannels",
    "CopyProperties": "vesalia.transforms.post.copy_properties:CopyProperties",
    "KeepLargestCC": "vesalia.transforms.post.keep_largest_cc:KeepLargestCC",
}

CATALOG: Mapping[str, Mapping[str, str]] = {
    "transform": _TRANSFORMS,
    "batch_transform": _TRANSFORMS,
    "model": {
        "Unet": "vesalia.components.models.unet:Unet",
        "SegResnet": "vesalia.components.models.segresnet:SegResnet",
        "UnetParallel": "vesalia.components.models.unet_parallel:UnetParallel",
        "SegAhnet": "vesalia.components.models.segahnet:SegAhnet",
        "DenseNet121": "vesalia.components.models.densenet121:DenseNet121",
        "Alexnet": "vesalia.components.models.alexnet:Alexnet",
        "PlainConvUnet": "vesalia.components.models.plain_conv_unet:PlainConvUnet",
        "LibraryModel": "vesalia.components.models.library_model:LibraryModel",
    },
    "loss": {
        "Dice": "vesalia.components.losses.dice:Dice",
        "CrossEntropy": "vesalia.components.losses.cross_entropy:CrossEntropy",
        "Focal": "vesalia.components.losses.focal:Focal",
        "CrossEntropyDice": "vesalia.components.losses.cross_entropy_dice:CrossEntropyDice",
        "FocalDice": "vesalia.components.losses.focal_dice:FocalDice",
        "LibraryLoss": "vesalia.components.losses.library_loss:LibraryLoss",
        "BinaryClassificationLoss": ("vesalia.components.losses.binary_classification_loss:BinaryClassificationLoss"),
        "MulticlassClassificationLoss": (
            "vesalia.components.losses.multiclass_classification_loss:MulticlassClassificationLoss"
        ),
        "WeightedMulticlassClassificationLoss": (
            "vesalia.components.losses.weighted_multiclass_classification_loss:WeightedMulticlassClassificationLoss"
        ),
    },
    "optimizer": {
        "Adam": "vesalia.components.optimizers.adam:Adam",
        "NovoGrad": "vesalia.components.optimizers.novograd:NovoGrad",
        "Momentum": "vesalia.components.optimizers.momentum:Momentum",
        "LibraryOptimizer": "vesalia.components.optimizers.library_optimizer:LibraryOptimizer",
    },
    "lr_policy": {
        "ReducePoly": "vesalia.components.lr_policies.reduce_poly:ReducePoly",
        "ReduceCosine": "vesalia.components.lr_policies.reduce_cosine:ReduceCosine",
        "DecayOnStep": "vesalia.components.lr_policies.decay_on_step:DecayOnStep",
        "LibrarySchedule": "vesalia.components.lr_policies.library_schedule:LibrarySchedule",
        "ReduceOnPlateau": "vesalia.components.lr_policies.reduce_on_plateau:ReduceOnPlateau",
    },
    "aux_op": {
        "NegLoss": "vesalia.components.aux_ops.neg_loss:NegLoss",
        "ComputeDice": "vesalia.components.aux_ops.compute_dice:ComputeDice",
        "DiceMaskedOutput": "vesalia.components.aux_ops.dice_masked_output:DiceMaskedOutput",
        "ComputeAccuracy": "vesalia.components.aux_ops.compute_accuracy:ComputeAccuracy",
        "ComputeBinaryPreds": "vesalia.components.aux_ops.compute_binary_preds:ComputeBinaryPreds",
    },
    "metric": {
        "ComputeAverageDice": "vesalia.components.metrics.compute_average_dice:ComputeAverageDice",
        "ComputeAverage": "vesalia.components.metrics.compute_average:ComputeAverage",
        "ComputeAverageSurfaceDice": (
            "vesalia.components.metrics.compute_average_surface_dice:ComputeAverageSurfaceDice"
        ),
        "ComputeHausdorff95": "vesalia.components.metrics.compute_hausdorff95:ComputeHausdorff95",
        "ComputeAUC": "vesalia.components.metrics.compute_auc:ComputeAUC",
        "ComputeMulticlassAverage": "vesalia.components.metrics.compute_multiclass_average:ComputeMulticlassAverage",
    },
    "inferer": {
        "TFSimpleInferer": "vesalia.components.inferers.simple:TFSimpleInferer",
        "TFScanWindowInferer": "vesalia.components.inferers.scan_window:TFScanWindowInferer",
    },
    "writer": {
        "WriteNifti": "vesalia.components.writers.write_nifti:WriteNifti",
        "WriteClassificationResult": (
            "vesalia.components.writers.write_classification_result:WriteClassificationResult"
        ),
        "WritePng": "vesalia.components.writers.write_png:WritePng",
    },
    "model_loader": {
        "CheckpointLoader": "vesalia.components.model_loaders.checkpoint_loader:CheckpointLoader",
        "FrozenGraphModelLoader": "vesalia.components.model_loaders.frozen_graph_model_loader:FrozenGraphModelLoader",
    },
    "image_pipeline": {
        "SegmentationImagePipeline": "vesalia.pipelines.segmentation:SegmentationImagePipeline",
        "SegmentationImagePipelineWithCache": (
            "vesalia.pipelines.segmentation_with_cache:SegmentationImagePipelineWithCache"
        ),
        "SegmentationKerasImagePipeline": "vesalia.pipelines.segmentation_keras:SegmentationKerasImagePipeline",
        "SegmentationKerasImagePipelineWithCache": (
            "vesalia.pipelines.segmentation_keras_with_cache:SegmentationKerasImagePipelineWithCache"
        ),
        "ClassificationImagePipeline": "vesalia.pipelines.classification:ClassificationImagePipeline",
        "ClassificationImagePipelineWithCache": (
            "vesalia.pipelines.classification_with_cache:ClassificationImagePipelineWithCache"
        ),
        "ClassificationKerasImagePipeline": "vesalia.pipelines.classification_keras:ClassificationKerasImagePipeline",
        "ClassificationKerasImagePipelineWithCache": (
            "vesalia.pipelines.classification_keras_with_cache:ClassificationKerasImagePipelineWithCache"
        ),
    },
    "handler": {
        "StatsHandler": "vesalia.training.handlers.stats_handler:StatsHandler",
    },
}
"""Slot, then name, then ``module:Class``."""

BASES: Mapping[str, str] = {
    "transform": "vesalia.transforms.base:Transform",
    "batch_transform": "vesalia.transforms.base:Transform",
    "model": "vesalia.components.models.base:Model",
    "loss": "vesalia.components.losses.base:Loss",
    "optimizer": "vesalia.components.optimizers.base:OptimizerFactory",
    "lr_policy": "vesalia.components.lr_policies.base:LearningRatePolicy",
    "aux_op": "vesalia.components.aux_ops.base:AuxOp",
    "metric": "vesalia.components.metrics.base:Metric",
    "inferer": "vesalia.components.inferers.base:Inferer",
    "writer": "vesalia.components.writers.base:Writer",
    "model_loader": "vesalia.components.model_loaders.base:ModelLoader",
    "image_pipeline": "vesalia.pipelines.settings:ImagePipeline",
    "handler": "vesalia.training.listener:Listener",
}
"""Slot, then the class that all its components derive from, as ``module:Class``."""

_V3_TRANSFORM = (
    "ai4med.components.transforms.transformer:Transformer",
    "vesalia.transforms.ai4med_transform:Ai4medTransform",
)
ADAPTERS: Mapping[str, tuple[str, str]] = {
    "transform": _V3_TRANSFORM,
    "batch_transform": _V3_TRANSFORM,
    "metric": ("ai4med.components.metric:Metric", "vesalia.components.metrics.ai4med_metric:Ai4medMetric"),
    "model": ("torch.nn:Module", "vesalia.components.models.plain_model:PlainModel"),
    "loss": ("builtins:object", "vesalia.components.losses.library_loss:PlainLoss"),
}
"""Slot, then what custom code for v3 or plain PyTorch derives from there, and what makes a component of it."""

INJECTED: Mapping[str, frozenset[str]] = {"model": frozenset({"in_channels"})}
"""Constructor parameters, by slot, that the framework fills in and a config must not name."""

FILLED: Mapping[str, frozenset[str]] = {"model": frozenset({"data_dims", "n_spatial_dim", "spatial_dims"})}
"""Constructor parameters, by slot, that the plan fills in from the image pipeline where a config does not name them."""
